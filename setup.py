"""Builds ``_native/**/*.pyx`` as ``simplestchat._native.*`` extension modules.

Cython finds cimports by folder names on disk, so the ``.pxd`` files are mirrored to
``build/cimport/simplestchat/_native`` and every extension is named by its import path.
``SIMPLESTCHAT_BUILD`` chooses the mode: release (default), trace (coverage) or asan. ``SIMPLESTCHAT_OPENSSL`` names the
folder of an OpenSSL (``include``, ``lib``) other than the system's; what that means is told in ``docs/packaging.md``.

The browser client (``simplestchat/web`` -> ``simplestchat/static``) and the page of load reports
(``simplestchat/load/assets``) are built with npm when they are missing or older than their sources; a source
distribution carries them built, so installing one needs no npm.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

PACKAGE = "simplestchat._native"
SOURCES = Path("_native")
SCENARIOS = Path("scenarios")
WEB = Path("simplestchat/web")
STATIC = Path("simplestchat/static")
REPORT = Path("simplestchat/load/assets")
MIRROR = Path("build/cimport")
GENERATED = "build/c"
MODES = ("release", "trace", "asan")
MODE = os.environ.get("SIMPLESTCHAT_BUILD", "release")
if MODE not in MODES:
    raise SystemExit(f"SIMPLESTCHAT_BUILD={MODE!r} is not one of {', '.join(MODES)}")

CFLAGS = ["-Wall", "-Wsign-compare", "-Wno-unused-function", "-std=gnu11"]
LDFLAGS: list[str] = []
MACROS: list[tuple[str, str | None]] = []
DIRECTIVES: dict[str, object] = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
}
if MODE == "release":
    CFLAGS += ["-O3", "-g0"]
elif MODE == "trace":
    DIRECTIVES["linetrace"] = True
    # Coverage of Cython needs the C tracer: sys.monitoring reports no Cython files.
    MACROS += [("CYTHON_TRACE", "1"), ("CYTHON_TRACE_NOGIL", "1"), ("CYTHON_USE_SYS_MONITORING", "0")]
elif MODE == "asan":
    # Python is built with -fwrapv, under which the sanitizer does not look at signed overflow.
    CFLAGS += ["-Og", "-g1", "-fno-omit-frame-pointer", "-fno-wrapv", "-fsanitize=address,undefined"]
    LDFLAGS += ["-fsanitize=address,undefined"]

# The layers that may call OpenSSL; of their modules only those that do depend on it.
OPENSSL_LAYERS = {"crypto", "engine", "peer", "io", "testing"}
OPENSSL_LINK = ["-Wl,--as-needed", "-lssl", "-lcrypto", "-ldl"]


def openssl_home() -> Path | None:
    """Return the folder of the OpenSSL that was asked for; None for the system's."""
    named = os.environ.get("SIMPLESTCHAT_OPENSSL")
    if not named:
        return None
    home = Path(named).resolve()
    # Of static archives every module would take a copy, and what one module makes another could not use.
    wanted = [home / "include/openssl/ssl.h", home / "lib/libssl.so", home / "lib/libcrypto.so"]
    if lacking := [str(path) for path in wanted if not path.exists()]:
        raise SystemExit(f"SIMPLESTCHAT_OPENSSL={named}: there is no {', no '.join(lacking)}")
    return home


def mirror_pxd() -> None:
    """Copy every .pxd to where its import name says it is; drop those whose source is gone."""
    root = MIRROR.joinpath(*PACKAGE.split("."))
    wanted = {root / pxd.relative_to(SOURCES): pxd for pxd in SOURCES.rglob("*.pxd")}
    for stale in set(root.rglob("*.pxd")) - set(wanted):
        stale.unlink()
    for target, pxd in wanted.items():
        if not target.exists() or target.read_bytes() != pxd.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(pxd, target)


def extensions() -> Iterator[Extension]:
    headers = [str(path) for path in sorted(SOURCES.rglob("*.h"))]
    home = openssl_home()
    for pyx in sorted(SOURCES.rglob("*.pyx")):
        parts = pyx.relative_to(SOURCES).with_suffix("").parts
        yield Extension(
            ".".join((PACKAGE, *parts)),
            [str(pyx)],
            include_dirs=[str(SOURCES), *([str(home / "include")] if home else [])],
            library_dirs=[str(home / "lib")] if home else [],
            runtime_library_dirs=[str(home / "lib")] if home else [],
            depends=headers,
            define_macros=MACROS,
            extra_compile_args=CFLAGS,
            extra_link_args=[*LDFLAGS, *(OPENSSL_LINK if parts[0] in OPENSSL_LAYERS else [])],
        )


def generate_c(modules: list[Extension]) -> list[Extension]:
    """Let Cython write the C of every module that changed.

    The C is the same for every mode but trace: the sanitizers look at what is released. ``CYTHON_CACHE_DIR`` names a
    folder from which a build elsewhere (a source distribution's) takes what was written for the same sources.
    """
    mirror_pxd()
    ready: list[Extension] = cythonize(
        # Without what is told to the C compiler, for Cython notes that in the C.
        [Extension(module.name, list(module.sources)) for module in modules],
        # Elsewhere than under fork, every process would run this file anew.
        nthreads=(os.cpu_count() or 1) if multiprocessing.get_start_method() == "fork" else 0,
        include_path=[str(MIRROR)],
        compiler_directives=DIRECTIVES,
        # Coverage wants the generated C beside its .pyx.
        build_dir=None if MODE == "trace" else GENERATED,
        emit_linenums=MODE != "trace",
        cache=bool(os.environ.get("CYTHON_CACHE_DIR")),
        annotate=bool(os.environ.get("SIMPLESTCHAT_ANNOTATE")),
    )
    return ready


def client_is_current() -> bool:
    """Say whether the built browser client may be packed as it is."""
    built = (STATIC / "index.html", REPORT / "report.js", REPORT / "report.css")
    if not all(path.exists() for path in built):
        return False
    if Path("PKG-INFO").exists():  # an unpacked source distribution: its client was built with it
        return True
    oldest = min(path.stat().st_mtime for path in built)
    return all(
        path.stat().st_mtime <= oldest for path in WEB.rglob("*") if path.is_file() and "node_modules" not in path.parts
    )


def ensure_client() -> None:
    """Build the browser client where it is missing or stale."""
    if client_is_current():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "The browser client is not built and npm is not here to build it. "
            "Run 'make build' in the checkout, or install Node.js 20.19 or newer and run this again."
        )
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *arguments], cwd=WEB, check=True)


class BuildPackage(build_py):
    """Puts the browser client and the load tester's scenarios into what is built."""

    def run(self) -> None:
        if not self.editable_mode:
            ensure_client()
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "simplestchat", "load", SCENARIOS)
            target.mkdir(parents=True, exist_ok=True)
            for scenario in SCENARIOS.glob("*.toml"):
                shutil.copy2(scenario, target)


class SourceDistribution(sdist):
    """Carries the built browser client."""

    def run(self) -> None:
        ensure_client()
        super().run()


class BuildNative(build_ext):
    """Keeps objects of each mode, Python and OpenSSL apart, and from build to build; editable installs would not."""

    user_options = [*build_ext.user_options, ("leave-out=", None, "modules that are not built, as testing.floor")]

    def initialize_options(self) -> None:
        super().initialize_options()
        self.leave_out: str | None = None

    def finalize_options(self) -> None:
        super().finalize_options()
        left_out = {f"{PACKAGE}.{name}" for name in (self.leave_out or "").split(",")}
        self.extensions = [extension for extension in self.extensions if extension.name not in left_out]
        self.parallel = self.parallel or os.cpu_count()
        home = openssl_home()
        kept = Path("build", MODE, sys.implementation.cache_tag, *(("openssl", *home.parts[1:]) if home else ()))
        self.build_temp = str(kept / "objects")
        if self.inplace or self.editable_mode:
            self.build_lib = str(kept / "modules")

    def run(self) -> None:
        # Here and not for every command: a source distribution or metadata need no generated C.
        ready = {extension.name: extension for extension in generate_c(self.extensions)}
        for extension in self.extensions:
            extension.sources = ready[extension.name].sources
        super().run()

    def copy_extensions_to_source(self) -> None:
        # Another mode's module in the tree may be newer than the one that is wanted.
        self.force = True
        super().copy_extensions_to_source()


setup(
    cmdclass={"build_py": BuildPackage, "sdist": SourceDistribution, "build_ext": BuildNative},
    packages=find_packages(include=["simplestchat", "simplestchat.*"]),
    package_data={
        "simplestchat": ["py.typed", "static/**/*"],
        "simplestchat.load": ["assets/*"],
        "simplestchat._native": ["*.pyi", "*/*.pyi"],
    },
    include_package_data=False,
    ext_modules=list(extensions()),
)
