"""What a plan asks for by plain `st.make`, without bootstrax: the measure for data and for speed.

python plain_make.py cold PLAN OUTPUT     a process of its own for one plan
python plain_make.py warm CONTEXT         warms up, then makes `PLAN OUTPUT` of each line on
                                          stdin in a forked child and answers with the seconds
"""

import importlib
import json
import os
import sys
import tempfile
import time


def build(name, options):
    module_name, _, function = name.partition(":")
    module = importlib.import_module(module_name)
    context = getattr(module, function)(**options)
    context.storage = []
    return module, context


def make(module, context, plan, output):
    import strax

    context.storage = [strax.DataDirectory(output)]
    if hasattr(module, "prepare"):
        module.prepare(context, plan)
    several = plan["cores"] > 1 and plan["processor"] == "threaded_mailbox"
    context.set_context_config(
        {
            "allow_multiprocess": several,
            "allow_shm": False,
            "allow_lazy": False,
            "max_messages": plan["maxMessages"],
            "timeout": plan["timeoutSeconds"],
        }
    )
    context.set_config(plan["runConfig"])
    if several:
        for plugin in set(context._plugin_class_registry.values()):
            plugin.rechunk_on_load = False
    options = {
        "max_workers": plan["cores"],
        "processor": plan["processor"],
        "progress_bar": False,
        "allow_multiple": True,
    }
    context.make(plan["runId"], tuple(plan["targets"]), **options)
    for target in [*plan["targets"], *plan["postProcessing"]]:
        if not context.is_stored(plan["runId"], target):
            context.make(plan["runId"], target, **options)


def read_plan(path):
    with open(path) as file:
        return json.load(file)


def cold(path, output):
    plan = read_plan(path)
    module, context = build(plan["context"], plan["contextOptions"])
    make(module, context, plan, output)


def warm(name):
    module, context = build(name, {})
    with tempfile.TemporaryDirectory() as directory:
        module.warm_up(context, directory)
    context.storage = []
    print("ready", flush=True)
    for line in sys.stdin:
        path, output = line.split()
        begin = time.monotonic()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                devnull = os.open(os.devnull, os.O_WRONLY)
                os.dup2(devnull, 1)
                make(module, context, read_plan(path), output)
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"code": status, "seconds": time.monotonic() - begin}), flush=True)


if __name__ == "__main__":
    {"cold": cold, "warm": warm}[sys.argv[1]](*sys.argv[2:])
