//! The results as a table in Markdown.

use std::fmt::{self, Display};

use suprsend_bench::table::write_table;

use crate::measure::{Known, Pipeline};

/// Shows the times of generating as a table.
pub(crate) struct Table<'a>(pub &'a [Pipeline]);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "operations",
            "kB",
            "culprits",
            "known",
            "seconds",
            "ms/operation",
            "times that without culprits",
        ];
        let row = |row: &Pipeline| {
            #[allow(clippy::cast_precision_loss, reason = "a number of operations is far below 2^52")]
            let each = row.seconds * 1e3 / row.operations as f64;
            [
                row.operations.to_string(),
                format!("{:.0}", row.kilobytes),
                row.culprits.to_string(),
                match row.known {
                    _ if row.culprits == 0 => String::new(),
                    Known::Beforehand => "beforehand".to_owned(),
                    Known::ByTrying => "by trying".to_owned(),
                },
                format!("{:.2}", row.seconds),
                format!("{each:.1}"),
                format!("{:.1}", row.times),
            ]
        };
        write_table(f, &head, self.0.iter().map(row))
    }
}
