"""Contexts shipped with bootstrax; any `module:function` that returns a strax context will do."""
