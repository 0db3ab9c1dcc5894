//! The blocks of a page, taken by the table of testdata/documents.json. It says for every block of the README and of the pages
//! about doors which test runs it, also those in Python and TypeScript; a page with another number of blocks fails where it is
//! run, and one that the table does not have in doors/documents.rs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A line of the table.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) page: String,
    pub(crate) language: String,
    pub(crate) blocks: usize,
    pub(crate) run_by: String,
    /// Blocks that cannot be run, by their index, each with the reason.
    #[serde(default)]
    pub(crate) but: BTreeMap<usize, String>,
}

/// All blocks of a page in a language, for the test file that the table names.
pub(crate) fn blocks(page: &str, language: &str, run_by: &str) -> Vec<String> {
    let named = table().into_iter().find(|row| (row.page.as_str(), row.language.as_str()) == (page, language));
    let row = named.unwrap_or_else(|| panic!("the table has no {language} of {page}"));
    assert_eq!(row.run_by, run_by, "{language} of {page}: the table names another test");
    let found: Vec<String> =
        all_blocks(page).into_iter().filter(|(of, _)| of == language).map(|(_, block)| block).collect();
    assert_eq!(found.len(), row.blocks, "{page} has other blocks in {language} than the table says");
    found
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Language and text of every block that names its language; the others are drawings.
pub(crate) fn all_blocks(page: &str) -> Vec<(String, String)> {
    let text = read(page);
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        if !language.is_empty() {
            blocks.push((language.to_owned(), block));
        }
    }
    blocks
}

/// The table.
pub(crate) fn table() -> Vec<Row> {
    serde_json::from_str(&read("testdata/documents.json")).unwrap()
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
