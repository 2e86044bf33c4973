//! The rows of the import example, for the fuzzer in `fuzz/` and, with its committed inputs, as a test.

#[path = "../../examples/import/exact.rs"]
#[allow(dead_code, reason = "the example uses all of it")]
mod exact;
#[path = "../../examples/import/quotes.rs"]
#[allow(dead_code, reason = "the example uses all of it")]
mod quotes;
#[path = "../../examples/import/rows.rs"]
#[allow(dead_code, clippy::module_inception, reason = "the example uses all of it")]
mod rows;

use rows::{Content, Format, Row, Rows};
use serde::Serialize;
use serde_json::value::RawValue;

/// A reason is no longer than this, beside what it names of the row.
const LONGEST: usize = 4096;

/// Reads the rows of a file. The first line is the form, `ndjson`, `csv` or `rejected`, and the name of the id. The file follows.
pub(crate) fn target(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, file) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let Ok(head) = str::from_utf8(head) else { return };
    let (form, id) = head.split_once(' ').unwrap_or((head, "distinct_id"));
    let format = match form {
        "csv" => Format::Csv,
        "rejected" => Format::Rejected,
        _ => Format::Ndjson,
    };
    let Ok(rows) = Rows::new(file, format, id).map_err(|error| judge(&format!("{error:#}"), input)) else {
        return;
    };
    let (mut number, lines) = (0, file.split(|byte| *byte == b'\n').count());
    for row in rows {
        // What cannot be gone on from ends the file.
        let Ok(row) = row.map_err(|error| judge(&format!("{error:#}"), input)) else { return };
        number += 1;
        assert_eq!(row.number, number, "rows are counted");
        assert!(usize::try_from(number).unwrap() <= lines, "no more rows than lines");
        if format != Format::Rejected {
            assert_eq!(row.origin, number);
        }
        same_again(&row, id, input);
    }
}

/// A line of the rejected rows.
#[derive(Serialize)]
struct Rejected<'a> {
    row: u64,
    reason: &'a str,
    input: &'a RawValue,
}

/// What would be written to the rejected rows is read again as the same.
fn same_again(row: &Row, id: &str, input: &[u8]) {
    let line = Rejected { row: row.origin, reason: "x", input: &row.input };
    let line = serde_json::to_string(&line).unwrap();
    let again = Rows::new(line.as_bytes(), Format::Rejected, id).unwrap().next().unwrap().unwrap();
    assert_eq!(again.origin, row.origin);
    match (&row.content, &again.content) {
        (Content::User(user), Content::User(again)) => {
            assert_eq!((&user.id, &user.members), (&again.id, &again.members));
        }
        (Content::User(_), _) => panic!("{line} is a user no longer"),
        (Content::Unreadable(reason), _) => judge(reason, input),
        (Content::Blank, again) => assert!(matches!(again, Content::Unreadable(_)), "nothing is no user"),
    }
}

/// A reason is one line that a terminal shows as it is, and does not repeat the row.
fn judge(reason: &str, input: &[u8]) {
    assert!(!reason.is_empty() && reason.len() < LONGEST + input.len(), "{reason}");
    assert!(!reason.contains(char::is_control), "{reason:?}");
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn every_input_is_taken() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/rows");
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            super::target(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 20, "{count} inputs");
    }
}
