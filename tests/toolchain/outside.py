"""What the tool chain's programs get from outside, so that they run unedited on any machine."""

import logging
import socket
import sys
import types
from collections import namedtuple

import npshmex
import psutil
import straxen


def stand_in_for_daqnt() -> None:
    """A logger: the one thing that the programs take from that package, which is in no registry."""

    def get_daq_logger(name, *_, level=logging.DEBUG, **__):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        return logger

    module = types.ModuleType("daqnt")
    module.get_daq_logger = get_daq_logger
    module.__version__ = "0"
    sys.modules["daqnt"] = module


def stand_in_for_memory_profiler() -> None:
    """The call, without the measurement."""

    def memory_usage(call, **_):
        function, arguments = call
        function(*arguments)
        return [0.0]

    module = types.ModuleType("memory_profiler")
    module.memory_usage = memory_usage
    sys.modules["memory_profiler"] = module


def event_builder(host: str, pre_processed: str, processed: str = "/nowhere/") -> None:
    """Be the event builder of this name; before any of the programs is imported.

    :param pre_processed: folder where bootstrax puts data.
    :param processed: folder where restrax puts it.
    """
    disk = namedtuple("Disk", "total used free percent")
    socket.getfqdn = lambda *_: host
    socket.gethostname = lambda: host
    psutil.disk_usage = lambda _: disk(100 << 40, 10 << 40, 90 << 40, 10.0)
    # It would clear the shared memory of every program on this machine.
    npshmex.shm_clear = lambda: None
    straxen.daq_core.pre_folder = f"{pre_processed}/"
    straxen.daq_core.output_folder = f"{processed}/"
    stand_in_for_daqnt()
    stand_in_for_memory_profiler()
