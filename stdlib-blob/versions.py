# SPDX-License-Identifier: Apache-2.0
"""The Python versions that can be built: the only place that knows a number.

Each row: Debian suite and source package that the CPython source is taken
from; options of its configure beside the common ones; the distributor's
changes that are undone; texts of the source that are replaced.  Setup-X.Y.local has the extension modules that not
all versions have.  The glibc floor is the oldest libc that a base must start on.
"""

GLIBC_FLOOR = "2.17"

# Undone are Debian's own places for packages (dist-packages instead of
# site-packages), which a tree laid out as a venv does not have, and a Makefile
# that takes no LDFLAGS from configure.  Replaced is mimalloc's constructor,
# which would read a file and forty variables at each start; mimalloc also
# prepares itself when it is first asked for memory (PYTHONMALLOC=mimalloc);
# and in 3.11's configure, which Debian makes anew after its patches, the name of
# sysconfig's data, which cross builds hand on.
VERSIONS = {
    "3.11": {
        "suite": "bookworm",
        "source": "python3.11",
        "configure": [],
        "undo": (
            ("sysconfig-debian-schemes.diff", "Lib/sysconfig.py"),
            ("distutils-install-layout.diff", "Lib/site.py"),
        ),
        "replace": (("configure", "_sysconfigdata_$(ABIFLAGS)_$(MACHDEP)_$(MULTIARCH)",
                     "_sysconfigdata_$(ABIFLAGS)_$(MULTIARCH)"),),
    },
    "3.13": {
        "suite": "trixie",
        "source": "python3.13",
        "configure": ["--without-system-libmpdec"],
        "undo": (
            ("sysconfig-debian-schemes.diff", "Lib/sysconfig/__init__.py"),
            ("distutils-install-layout.diff", "Lib/site.py"),
            ("makefile-bootstrap.diff", "Makefile.pre.in"),
        ),
        "replace": (("Objects/mimalloc/init.c", "__attribute__((constructor)) ", ""),),
    },
}

# Static archives linked in: file, Debian package that ships it.
STATIC_LIBS = {
    "libz.a": "zlib1g-dev",
    "libbz2.a": "libbz2-dev",
    "liblzma.a": "liblzma-dev",
    "libssl.a": "libssl-dev",
    "libcrypto.a": "libssl-dev",
    "libffi.a": "libffi-dev",
    "libsqlite3.a": "libsqlite3-dev",
    "libuuid.a": "uuid-dev",
    "libedit.a": "libedit-dev",
    "libbsd.a": "libbsd-dev",
    "libncursesw.a": "libncurses-dev",
    "libtinfo.a": "libncurses-dev",
    "libpanelw.a": "libncurses-dev",
    "libexpat.a": "libexpat1-dev",
    "libcrypt.a": "libcrypt-dev",
}
# What an archive needs beside it.  CPython's configure tries each library alone.
STATIC_NEEDS = {"libedit.a": ("libbsd.a", "libtinfo.a")}
