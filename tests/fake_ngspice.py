"""Programs that answer `--version` as ngspice does, and then misbehave."""

from __future__ import annotations

import shutil

HEAD = """#!/bin/sh
if [ "$1" = --version ]; then echo "** ngspice-39 : Circuit level simulation program"; exit 0; fi
"""
# Runs the real program; $4 is the raw file, $5 the deck.
REAL = f'{shutil.which("ngspice")} "$@"\n'


def patch_last_number(byte_text: str) -> str:
    """Overwrites the raw file's last number; byte_text as printf reads it, eight bytes."""
    overwrite = 'dd of="$4" bs=1 seek=$(($(stat -c %s "$4") - 8)) conv=notrunc 2>/dev/null'
    return f"{REAL}printf '{byte_text}' | {overwrite}\n"


NAN = r"\0\0\0\0\0\0\370\177"
E32 = r"\027\156\005\265\265\270\223\106"  # 1e32, little-endian

CUT = REAL + 'size=$(stat -c %s "$4"); truncate -s $((size-100)) "$4"\n'


def write_fake(folder, body: str):
    """The path of a fake program in `folder`."""
    path = folder / "fake_ngspice"
    path.write_text(HEAD + body)
    path.chmod(0o755)
    return path
