"""BattPass: digital battery passports as a knowledge graph.

Everything is imported by its full name, for example `battpass.kg.graphs`.
"""

from pathlib import Path

# The five folders are links beside this file. A checkout without links (Windows without developer
# mode) holds small text files in their place; then the folders themselves lie one level up.
if (_here := Path(__file__).resolve().parent).joinpath("kg").is_file():
    __path__.append(str(_here.parent))

__version__ = "0.1.0"
