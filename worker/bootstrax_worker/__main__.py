"""`python -m bootstrax_worker`: the fork server, one attempt by itself, a check of products."""

import argparse
import importlib.util
import json
import os
import sys

from . import crash_points
from .fork_safety import switch_off_thread_pools


def _options(text: str) -> dict:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("must be a JSON object")
    return value


def probe() -> int:
    """Say what is missing on this machine; return the exit code."""
    if importlib.util.find_spec("strax") is not None:
        return 0
    print(f"{sys.executable} has no strax", file=sys.stderr)
    return 1


def main() -> int:
    """Run the subcommand; return the exit code."""
    try:
        crash_points.cut_of(os.environ.get(crash_points.VARIABLE))
    except crash_points.UnknownPoint as error:
        print(error, file=sys.stderr)
        return 2
    switch_off_thread_pools()
    parser = argparse.ArgumentParser(prog="bootstrax_worker", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="keep a context warm, fork attempts on request")
    serve.add_argument("--context", required=True, metavar="MODULE:FUNCTION")
    serve.add_argument("--context-options", type=_options, default={}, metavar="JSON")
    serve.add_argument("--no-warm-up", action="store_true")
    serve.add_argument("--scratch", required=True, metavar="DIRECTORY")
    serve.add_argument("--folder", required=True, metavar="DIRECTORY", help="folder of the servers")
    serve.add_argument("--orphan-limit", type=float, required=True, metavar="SECONDS")
    serve.add_argument("--manager-fd", type=int, default=3, metavar="FD")
    attempt = commands.add_parser("attempt", help="carry out the plan of an attempt directory")
    attempt.add_argument("directory")
    as_job = commands.add_parser("job", help="the same, as a job of a batch system")
    as_job.add_argument("directory")
    commands.add_parser("probe", help="whether an attempt could be carried out here")
    pictures = commands.add_parser("pictures", help="make the pictures of an attempt, beside it")
    pictures.add_argument("directory")
    commands.add_parser("check-products", help="load all of the products named on stdin")
    arguments = parser.parse_args()
    if arguments.command == "check-products":
        from . import check_products

        return check_products.main()
    if arguments.command == "probe":
        return probe()
    if arguments.command == "serve":
        from .fork_server import ForkServer

        return ForkServer(arguments).serve()
    if arguments.command == "pictures":
        from .pictures.reader import run_cold as make_pictures

        return make_pictures(arguments.directory)
    if arguments.command == "job":
        from .job import run

        return run(arguments.directory)
    from .attempt import run_cold

    return run_cold(arguments.directory)


if __name__ == "__main__":
    sys.exit(main())
