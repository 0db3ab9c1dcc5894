//! The table of threats in `docs/threat-model.md` names tests, and each of them exists.

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| **")).collect();
    assert!(rows.len() >= 15, "{} rows", rows.len());
    let mut missing = BTreeSet::new();
    for row in rows {
        let named: Vec<_> = row.split('`').filter_map(|span| span.split_once('#')).collect();
        assert!(!named.is_empty(), "a row without a test: {row}");
        for (file, name) in named {
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            let found = if Path::new(file).extension().is_some_and(|extension| extension == "rs") {
                text.contains(&format!("fn {name}("))
            } else {
                text.contains(&format!("'{name}'"))
            };
            if !found {
                missing.insert(format!("{file}#{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
