from collections.abc import Callable, Mapping
from typing import Any

LIFECYCLE_EVENTS: tuple[str, str]

def find(
    handlers: Mapping[str, Mapping[Any, Callable[..., Any]]], classes: Mapping[str, Any], namespace: str, event: Any
) -> tuple[Callable[..., Any], tuple[Any, ...]] | None: ...
