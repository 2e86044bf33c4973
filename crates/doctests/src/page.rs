//! A page, and what rustdoc has to see of it.

/// Lines before the body of a block, hidden.
const BEFORE: [&str; 5] = [
    "#[tokio::main(flavor = \"current_thread\")]",
    "async fn main() -> Result<(), Box<dyn std::error::Error>> {",
    "let hub = suprsend_mock::Hub::start().await?;",
    "let client = suprsend::Client::builder().workspace(\"acme-workspace\").base_url(hub.url());",
    "let client = client.api_key(hub.key()).build()?;",
];
/// Lines after it.
const AFTER: [&str; 2] = ["Ok(())", "}"];

/// Returns the page with the hidden lines that its Rust blocks need to be tested.
pub(crate) fn testable(page: &str) -> Result<String, String> {
    let mut out = Vec::new();
    let mut lines = page.lines().enumerate().peekable();
    let mut given = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.starts_with("<!-- given:") {
            given = comment(line, &mut lines.by_ref().map(|(_, line)| line));
            continue;
        }
        let Some(language) = line.strip_prefix("```") else {
            out.push(line.to_owned());
            continue;
        };
        let mut block = Vec::new();
        loop {
            match lines.next() {
                Some((_, "```")) => break,
                Some((_, line)) => block.push(line),
                None => return Err(format!("line {}: the block has no end", number + 1)),
            }
        }
        out.push(line.to_owned());
        if language.split(',').next() != Some("rust") {
            out.extend(block.into_iter().map(str::to_owned));
            out.push("```".to_owned());
            continue;
        }
        if let Some(hidden) = block.iter().position(|line| is_hidden(line)) {
            return Err(format!("line {}: a web page would show this line", number + 2 + hidden));
        }
        // Behind the block, an empty line may come first.
        while lines.peek().is_some_and(|(_, line)| line.is_empty()) {
            lines.next();
        }
        let mut then = Vec::new();
        if lines.peek().is_some_and(|(_, line)| line.starts_with("<!-- then:")) {
            let first = lines.next().map_or("", |(_, line)| line);
            then = comment(first, &mut lines.by_ref().map(|(_, line)| line));
        }
        let hidden = |line: &str| format!("# {line}");
        let is_program = block.iter().any(|line| line.contains("fn main("));
        if !is_program {
            out.extend(BEFORE.into_iter().map(hidden));
        }
        out.extend(given.drain(..).map(|line| hidden(&line)));
        out.extend(block.into_iter().map(str::to_owned));
        out.extend(then.into_iter().map(|line| hidden(&line)));
        if !is_program {
            out.extend(AFTER.into_iter().map(hidden));
        }
        out.extend(["```".to_owned(), String::new()]);
    }
    Ok(out.join("\n"))
}

/// Whether rustdoc hides the line.
fn is_hidden(line: &str) -> bool {
    let line = line.trim_start();
    line == "#" || line.starts_with("# ")
}

/// The lines of a comment, of one line or of several.
fn comment<'a>(first: &str, rest: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    let text = first.split_once(':').map_or("", |(_, text)| text);
    if let Some(text) = text.strip_suffix("-->") {
        return vec![text.trim().to_owned()];
    }
    rest.take_while(|line| *line != "-->").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_left_as_it_is() {
        let page = "# Title\n\n```rust,no_run\nfn main() {}\n```\n\ntext";
        assert_eq!(testable(page).unwrap(), page);
        let other = "```toml\n# a comment\n```";
        assert_eq!(testable(other).unwrap(), other);
    }

    #[test]
    fn any_other_block_becomes_a_body() {
        let page = "<!-- given: let a = 1; -->\n```rust\nassert_eq!(a, 1);\n```\n\n<!-- then:\nlet b = a;\nassert_eq!(b, 1);\n-->\ntext";
        let shown = testable(page).unwrap();
        let before = BEFORE.map(|line| format!("# {line}")).join("\n");
        assert_eq!(
            shown,
            format!(
                "```rust\n{before}\n# let a = 1;\nassert_eq!(a, 1);\n# let b = a;\n# assert_eq!(b, 1);\n# Ok(())\n# }}\n```\n\ntext"
            )
        );
    }

    #[test]
    fn a_hidden_line_and_a_block_without_an_end_are_refused() {
        assert_eq!(
            testable("text\n```rust\nlet a = 1;\n# let b = 2;\n```"),
            Err("line 4: a web page would show this line".into())
        );
        assert_eq!(testable("```rust\nlet a = 1;"), Err("line 1: the block has no end".into()));
    }
}
