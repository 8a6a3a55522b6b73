# SPDX-License-Identifier: Apache-2.0
"""Makes undefined dynamic symbols of a linked executable weak.

ld.so starts it without a weak one, where a library that is loaded later may
have it; a linker makes a symbol weak only if all objects say so.
"""

import struct

# ELF-64, little-endian (System V ABI, chapter 4).
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
DYNSYM = 11
UNDEFINED = 0
GLOBAL = 1
WEAK = 2


def weaken(path, pattern):
    """Those whose names match `pattern` as a whole."""
    data = bytearray(path.read_bytes())
    header = HEADER.unpack_from(data)
    sections = [SECTION.unpack_from(data, header[6] + i * SECTION.size) for i in range(header[12])]
    symbols = next(s for s in sections if s[1] == DYNSYM)
    strings = sections[symbols[6]][4]
    for place in range(symbols[4], symbols[4] + symbols[5], SYMBOL.size):
        name_at, info, _, section, _, _ = SYMBOL.unpack_from(data, place)
        start = strings + name_at
        name = data[start : data.index(0, start)].decode()
        if section == UNDEFINED and info >> 4 == GLOBAL and pattern.fullmatch(name):
            data[place + 4] = WEAK << 4 | info & 0xF
    path.write_bytes(data)
