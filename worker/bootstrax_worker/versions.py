"""Versions of the packages that make the data."""

import platform
from functools import cache
from importlib import metadata

_PACKAGES = ("strax", "straxen", "numpy", "numba")


@cache
def versions() -> dict[str, str]:
    """Version by package, as far as installed, without importing any of them."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
