"""The `static_files` mapping of an application wrapper: URL path to file.

May import: nothing. Rules are python-engineio's: the longest mapped prefix wins, and what follows it names the file.
"""

import os
from typing import Any

CONTENT_TYPES = {
    "css": "text/css",
    "gif": "image/gif",
    "html": "text/html",
    "jpg": "image/jpeg",
    "js": "application/javascript",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
}


def get_static_file(path: str, static_files: dict[str, Any]) -> dict[str, str] | None:
    """Give {"filename", "content_type"} of the file that a URL path is mapped to, None when it is mapped to none.

    The file need not exist.
    """
    entry, rest = _mapped(path, static_files)
    if entry is None or "../" in rest or "\0" in rest:
        return None
    filename, content_type = _parts(entry)
    filename += rest
    if filename.endswith("/"):
        default, content_type = _parts(static_files.get("", "index.html"))
        filename += default
    if content_type is None:
        content_type = CONTENT_TYPES.get(filename.rsplit(".", 1)[-1], "application/octet-stream")
    return {"filename": filename, "content_type": content_type}


def existing_file(path: str, static_files: dict[str, Any]) -> dict[str, str] | None:
    """As `get_static_file`, but only for a file that is there."""
    found = get_static_file(path, static_files)
    return found if found is not None and os.path.isfile(found["filename"]) else None


def _mapped(path: str, static_files: dict[str, Any]) -> tuple[Any, str]:
    if path in static_files:
        return static_files[path], ""
    rest = ""
    while path:
        path, last = path.rsplit("/", 1) if "/" in path else ("", path)
        rest = f"/{last}{rest}"
        if path in static_files and path:
            return static_files[path], rest
        if path + "/" in static_files:
            return static_files[path + "/"], rest[1:]
    return None, ""


def _parts(entry: Any) -> tuple[str, str | None]:
    return (entry, None) if isinstance(entry, str) else (entry["filename"], entry.get("content_type"))
