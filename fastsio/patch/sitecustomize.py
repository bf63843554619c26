"""Run by each interpreter under `fastsio patch`: installs fastsio when `socketio` or `engineio` is first imported.

May import: `fastsio`, at that moment. Costs other programs nothing, and runs the `sitecustomize` that it stands before.
"""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))


class _FirstImport:
    """Waits in `sys.meta_path` for one of the two names, and makes room for `fastsio.install()`."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in ("socketio", "engineio"):
            return None
        sys.meta_path.remove(self)
        try:
            import fastsio
        except ImportError as exc:
            print(f"fastsio patch: {sys.executable} has no fastsio, so {fullname} is not it ({exc})", file=sys.stderr)
            return None
        fastsio.install()
        return importlib.util.find_spec(fullname)


def _run_next() -> None:
    """Run the `sitecustomize` that the interpreter would have run without us."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != FOLDER]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


# Not when somebody looks through the package and imports `fastsio.patch.sitecustomize`.
if FOLDER in map(os.path.abspath, sys.path):
    sys.meta_path.insert(0, _FirstImport())
    _run_next()
