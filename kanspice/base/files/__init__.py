"""Files of others and results of ours: read with care, written whole or not at all, and never over what was read."""

from kanspice.base.files.inputs import inputs_spared, refuse_input, refuse_inputs
from kanspice.base.files.plain import parse_json, parse_toml, refuse_constant
from kanspice.base.files.reading import MAX_FILE_BYTES, is_folder, is_there, opened, read_file, read_text
from kanspice.base.files.writing import check_outputs, write_bytes, write_text

__all__ = [
    "MAX_FILE_BYTES",
    "check_outputs",
    "inputs_spared",
    "is_folder",
    "is_there",
    "opened",
    "parse_json",
    "parse_toml",
    "read_file",
    "read_text",
    "refuse_constant",
    "refuse_input",
    "refuse_inputs",
    "write_bytes",
    "write_text",
]
