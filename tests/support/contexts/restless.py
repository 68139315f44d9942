"""The small context, in which a run fails as often as the last digits of its number say."""

from bootstrax_worker.contexts import small as _small

restless = _small.small
warm_up = _small.warm_up


def prepare(context, plan):
    wanted = plan["run"] % 4
    if plan["failures"] < wanted:
        raise RuntimeError(f"run {plan['run']} fails {wanted} times")
    _small.prepare(context, plan)
