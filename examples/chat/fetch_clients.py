"""Puts the browser clients of `package.json` where the chat page loads them from: static/clients/<version>/.

Standard library only. Without npm it says so and succeeds, because the page then loads them from a public CDN.
"""

import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = HERE / "static" / "clients"


def main() -> None:
    """Install the packages unless the bundles are there, and copy the bundles."""
    packages = list(json.loads((HERE / "package.json").read_text())["dependencies"])
    if all(target(package).is_file() for package in packages):
        return
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed: the chat page will load the Socket.IO clients from a public CDN instead.")
        return
    if subprocess.run([npm, "ci", "--ignore-scripts", "--silent"], cwd=HERE).returncode != 0:
        print("npm could not fetch them: the chat page will load the Socket.IO clients from a public CDN instead.")
        return
    for package in packages:
        copy(package)


def target(package: str) -> Path:
    """Return where the bundle of a package such as ``client-2.1.1`` goes."""
    return CLIENTS / package.removeprefix("client-") / "socket.io.js"


def copy(package: str) -> None:
    """Copy the smallest bundle that a package has; 2.x ships its minified one as socket.io.js."""
    dist = HERE / "node_modules" / package / "dist"
    bundle = next(path for name in ("socket.io.min.js", "socket.io.js") if (path := dist / name).is_file())
    target(package).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(bundle, target(package))
    print(f"{package}: {target(package).relative_to(HERE)}")


if __name__ == "__main__":
    main()
