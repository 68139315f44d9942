"""The strax context named by `module:function`, and its plugin graph."""

import gc
import importlib
import inspect
import traceback

import strax

from . import bounded, protocol

# Contexts of straxen that need preparation for an event builder, and the modules that prepare them.
STAND_INS = {"straxen.contexts:xenonnt_online": "bootstrax_worker.contexts.online"}


class ContextUnusable(Exception):
    """The context cannot be built on this host."""


class LoadedContext:
    """A context without storage, with the optional functions of its module."""

    def __init__(self, name: str, options: dict) -> None:
        self.name = name
        self.options = options
        module_name, separator, function_name = name.partition(":")
        if not separator:
            raise ContextUnusable(f"context {name!r} is not of the form module:function")
        try:
            module = importlib.import_module(STAND_INS.get(name, module_name))
            function = getattr(module, function_name)
            self.context = function(**options)
        except Exception as error:
            raise ContextUnusable(
                f"context {name} cannot be built: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(self.context, strax.Context):
            raise ContextUnusable(
                f"{name} returned {type(self.context).__name__}, not a strax context"
            )
        self.warm_up = getattr(module, "warm_up", None)
        self.prepare = getattr(module, "prepare", None)
        self.watched_files = getattr(module, "watched_files", None)
        self._pictures = getattr(module, "pictures", None)
        self.forget_storage()

    def forget_storage(self) -> None:
        """Drop storage, and with it database clients: only a child opens any."""
        self.context.storage = []
        self.context._fixed_plugin_cache = None
        gc.collect()

    def registry(self) -> dict:
        """Plugin class by data type, without the temporary ones that strax makes for itself."""
        return {
            name: plugin
            for name, plugin in self.context._plugin_class_registry.items()
            if not name.startswith("_temp")
        }

    def declared_pictures(self) -> object:
        """What `pictures` of the module returns, with or without the context as its argument."""
        if self._pictures is None:
            return []
        takes_context = len(inspect.signature(self._pictures).parameters) > 0
        return self._pictures(self.context) if takes_context else self._pictures()

    def graph(self) -> dict:
        """The plugins as the protocol's `pluginGraph`."""
        return {
            "version": protocol.VERSION,
            "context": self.name,
            "types": {
                name: {
                    "plugin": plugin.__name__,
                    "dependsOn": _depends_on(plugin),
                    "saved": _saved(plugin, name),
                }
                for name, plugin in self.registry().items()
            },
            "forbidden": list(
                strax.to_str_tuple(self.context.context_config.get("forbid_creation_of") or ())
            ),
        }


def _depends_on(plugin: type) -> list[str]:
    declared = plugin.depends_on
    if not isinstance(declared, str | tuple | list):
        # The plugin computes it, so only an instance knows it.
        declared = plugin().depends_on
    return list(strax.to_str_tuple(declared))


def save_when(plugin: type, data_type: str) -> strax.SaveWhen:
    """When strax stores this type; one plugin may differ by type."""
    declared = plugin.save_when
    return strax.SaveWhen(declared if isinstance(declared, int) else declared[data_type])


def _saved(plugin: type, data_type: str) -> str:
    return save_when(plugin, data_type).name.lower()


def last_lines(error: BaseException) -> str:
    """Full traceback of an error, causes included."""
    return bounded.text("".join(traceback.format_exception(error)))
