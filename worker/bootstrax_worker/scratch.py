"""Scratch folders of one process; those of killed processes are removed."""

import os
import shutil

from .identity import identity, is_of_dead_process, name_of


def make_folder(parent: str) -> str:
    """Make the folder of this process below `parent`; remove those of processes that are gone."""
    os.makedirs(parent, exist_ok=True)
    for name in os.listdir(parent):
        if is_of_dead_process(name):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
    folder = os.path.join(parent, name_of(identity(os.getpid())))
    os.makedirs(folder, exist_ok=True)
    return folder
