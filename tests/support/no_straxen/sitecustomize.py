"""Found first on PYTHONPATH: a Python in which nothing of XENONnT is installed."""

import sys
from importlib.machinery import PathFinder

ABSENT = {"straxen", "utilix", "xedocs", "rframe", "admix", "cutax", "npshmex"}


class _Blind(PathFinder):
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(fullname, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = _Blind
