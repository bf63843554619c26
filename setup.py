"""Builds the compiled rooms of fastsio. Everything else about the project stands in pyproject.toml.

The profile is chosen with FASTSIO_BUILD: release (default), dev, perf, trace, asan (gcc's sanitizers), fuzz (clang's,
with libFuzzer's counters; needs clang, CC names another than clang-14) or fallback (without what Windows lacks).
"""

import os
import sys

from Cython.Build import cythonize
from Cython.Compiler import Options as CythonOptions
from setuptools import Extension, setup

PROFILE = os.environ.get("FASTSIO_BUILD", "release")
# Python is built with -fwrapv, under which no addition of ours could overflow: not for a sanitizer.
SANITIZERS = {
    "asan": ["-fsanitize=address,undefined", "-fno-wrapv"],
    "fuzz": [
        "-fsanitize=address,undefined,fuzzer-no-link",
        "-fno-sanitize-recover=undefined",
        "-fno-wrapv",
        "-fno-sanitize=pointer-overflow",  # clang counts NULL + 0, which Cython writes for every call without arguments
    ],
}.get(PROFILE, [])
CFLAGS = {
    "release": ["-O2", "-g0", "-fvisibility=hidden"],
    "fallback": ["-O2", "-g0", "-fvisibility=hidden", "-DFASTSIO_PLAIN"],
    "dev": ["-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG", "-Wall", "-Wsign-compare"],
    "perf": ["-O2", "-g", "-fno-omit-frame-pointer"],
    "trace": ["-O1", "-g"],
    "asan": ["-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG", *SANITIZERS],
    "fuzz": ["-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG", *SANITIZERS],
}[PROFILE]
LDFLAGS = SANITIZERS
if PROFILE == "fuzz":
    # libFuzzer is clang's: a CC of yours that is another compiler stands for the other profiles.
    CLANG = os.environ["CC"] = os.environ["CC"] if "clang" in os.environ.get("CC", "") else "clang-14"
    os.environ.setdefault("LDSHARED", f"{CLANG} -shared")
MACROS = [("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")] if PROFILE == "trace" else []
if sys.platform == "win32":
    CFLAGS = ["/Od", "/Zi"] if PROFILE == "dev" else ["/O2"]

DIRECTIVES = {
    "language_level": 3,
    "auto_pickle": False,
    "autotestdict": False,
    "linetrace": PROFILE == "trace",
    "nonecheck": PROFILE == "dev",
    "overflowcheck": PROFILE == "dev",
}

# Module -> what it is built from besides its own source.
MODULES = {
    "fastsio/_build.pyx": [],
    "fastsio/options.py": [],
    "fastsio/_json.pyx": [],
    "fastsio/_codec.pyx": [],
    "fastsio/_frames.pyx": ["fastsio/_mask.c", "fastsio/_sha1.c"],
    "fastsio/_head.pyx": [],
    "fastsio/_http.pyx": [],
    "fastsio/engine/_ids.pyx": [],
    "fastsio/engine/_wheel.pyx": [],
    "fastsio/engine/_bucket.pyx": [],
    "fastsio/engine/_guard.pyx": [],
    "fastsio/engine/_lifecycle.pyx": [],
    "fastsio/engine/_outbox.pyx": [],
    "fastsio/engine/_session.pyx": [],
    "fastsio/engine/registry.py": [],
    "fastsio/engine/_polling.pyx": [],
    "fastsio/engine/_admission.pyx": [],
    "fastsio/hub/_rooms.pyx": [],
    "fastsio/hub/_handlers.pyx": [],
    "fastsio/hub/_runner.pyx": [],
    "fastsio/hub/_durations.pyx": [],
    "fastsio/hub/_hub.pyx": [],
    "fastsio/hub/_joining.pyx": [],
    "fastsio/hub/_peer.pyx": [],
    "fastsio/net/_poller.pyx": [],
    "fastsio/net/_native.pyx": [],
}
if sys.platform != "win32":  # the load generator uses the sockets of POSIX
    MODULES |= {f"fastsio/load/{name}.pyx": [] for name in ("_histogram", "_response", "_links", "_crowd", "_load")}
if SANITIZERS:  # faults made on purpose, to see that they are seen
    MODULES["fastsio/testing/_planted.pyx"] = []


def extension(source: str, extra: list[str]) -> Extension:
    name = os.path.splitext(source)[0].replace("/", ".")
    macros = [*MACROS, ("FASTSIO_PROFILE", PROFILE)] if name == "fastsio._build" else MACROS
    return Extension(
        name,
        [source, *extra],
        include_dirs=["fastsio"],
        depends=[f"fastsio/{name}.h" for name in ("_system", "_runs", "_mask", "_sha1")],
        extra_compile_args=CFLAGS,
        extra_link_args=LDFLAGS,
        define_macros=macros,
    )


CythonOptions.warning_errors = PROFILE == "dev"

setup(
    ext_modules=cythonize(
        [extension(source, extra) for source, extra in MODULES.items()],
        compiler_directives=DIRECTIVES,
        annotate=PROFILE == "dev",
        emit_linenums=PROFILE in ("dev", "perf"),
        build_dir=None if PROFILE == "trace" else f"build/cython-{PROFILE}",
        nthreads=os.cpu_count() or 1,
    ),
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
)
