"""straxen's own online context, for machines that reach the experiment's databases.

Without these databases straxen fails late, with a message that helps nobody, or waits for a minute.
So they are checked here first, within seconds.
"""

import socket
from typing import Any

import straxen

from .straxen_attempt import forget_calibration, patch_classes
from .straxen_pictures import pictures

__all__ = ["DatabasesUnreachable", "pictures", "prepare", "what_is_missing", "xenonnt_online"]

CONNECT_SECONDS = 3.0
MONGO_PORT = 27017


class DatabasesUnreachable(Exception):
    """straxen's run and corrections databases cannot be used from this machine."""


def xenonnt_online(**options: Any):
    """`straxen.contexts.xenonnt_online` as an event builder needs it: it may make raw records.

    The context has no storage; the attempt adds it.
    :param options: as for straxen's function; they override the settings made here.
    """
    missing = what_is_missing()
    if missing is not None:
        raise DatabasesUnreachable(missing)
    defaults = {
        # By default strax makes a folder `strax_data` in the working directory, or fails to.
        "storage": [],
        "we_are_the_daq": True,
        "_database_init": False,
        "_auto_append_rucio_local": False,
        "allow_lazy": False,
        "timeout": 500,
    }
    return straxen.contexts.xenonnt_online(**{**defaults, **options})


def prepare(context, plan: dict[str, Any]) -> None:
    """Settings of one attempt; called in the child before processing."""
    patch_classes(context, plan)
    forget_calibration(context)


def what_is_missing() -> str | None:
    """Why straxen's databases cannot be used here, and what to do; None if they can.

    Takes at most a few seconds for each database server.
    """
    configuration = straxen.uconfig
    if configuration is None:
        return (
            "utilix found no configuration of the experiment's databases: set XENON_CONFIG to the "
            "site's file or create ~/.xenon_config, or take the context "
            "bootstrax_worker.contexts.local_xenonnt:local_xenonnt, which needs no database"
        )
    url = configuration.get("RunDB", "xent_url", fallback=None)
    if not url:
        return (
            "the utilix configuration has no xent_url below [RunDB], the address of the runs and "
            "corrections databases: complete the file that XENON_CONFIG names"
        )
    problems = [problem for server in _servers(url) if (problem := _connect(*server))]
    if len(problems) == len(_servers(url)):
        return (
            f"no database server of the utilix configuration answers ({'; '.join(problems)}): "
            "check the network and xent_url below [RunDB]"
        )
    return None


def _servers(url: str) -> list[tuple[str, int]]:
    hosts = url.split("://")[-1].split("@")[-1].split("/")[0]
    servers = []
    for host in hosts.split(","):
        name, _, port = host.partition(":")
        servers.append((name, int(port) if port.isdigit() else MONGO_PORT))
    return servers


def _connect(host: str, port: int) -> str | None:
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        return f"{host}:{port} {error}"
    return None
