//! From the field: bugs that real crates shipped. `README.md` beside the sources has the table.
