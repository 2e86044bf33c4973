//! The program.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A running program that ends with the test.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut url)?;
        Ok(Self { child, url: url.trim_end().to_owned() })
    }

    /// Ends it as a supervisor would; gives its exit code and log.
    #[cfg(unix)]
    fn end(mut self) -> Result<(Option<i32>, String)> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let mut log = String::new();
        self.child.stderr.take().ok_or("no stderr")?.read_to_string(&mut log)?;
        Ok((self.child.wait()?.code(), log))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suprsend-mock"));
    command.args(arguments);
    command
}

fn file(name: &str, content: &Value) -> Result<PathBuf> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content.to_string())?;
    Ok(path)
}

/// What is on this machine is reached without a proxy, whatever the environment says.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client without settings")
}

#[cfg(unix)]
#[tokio::test]
async fn it_prints_its_url_logs_requests_and_ends_well() -> Result {
    let program = Program::start(&["--port", "0", "--key", "secret-key", "--json-log"])?;
    let url = format!("{}/v1/user/u/", program.url);
    let client = client();
    assert_eq!(client.post(&url).bearer_auth("secret-key").send().await?.status(), 201);
    assert_eq!(client.post(&url).bearer_auth("wrong").send().await?.status(), 401);
    let listening =
        json!({"listening": program.url, "key": "as given", "page": format!("{}/_hub/", program.url)});
    let (code, log) = program.end()?;
    assert_eq!(code, Some(0));
    let lines: Vec<Value> = log.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?;
    assert_eq!(lines.len(), 3, "{log}");
    assert_eq!(lines[0], listening);
    assert_eq!((&lines[1]["status"], &lines[1]["operation"]), (&json!(201), &json!("create-update-users")));
    assert_eq!(
        (&lines[2]["status"], &lines[2]["refusal"]),
        (&json!(401), &json!("the API key is not known"))
    );
    assert!(!log.contains("secret-key"), "{log}");
    Ok(())
}

#[tokio::test]
async fn it_starts_with_the_users_of_a_file() -> Result {
    let seed = file("seed.json", &json!({"user-1": {"$email": ["a@example.com"]}}))?;
    let program = Program::start(&["--port", "0", "--seed", seed.to_str().ok_or("no text")?])?;
    let user: Value = client().get(format!("{}/_hub/users/user-1", program.url)).send().await?.json().await?;
    assert_eq!(user["$email"][0]["value"], "a@example.com");
    Ok(())
}

#[tokio::test]
async fn its_limits_are_set_on_the_command_line() -> Result {
    let program =
        Program::start(&["--port", "0", "--rate-limit", "1", "--recorded", "0", "--largest-body", "2"])?;
    let status: Value = client().get(format!("{}/_hub/", program.url)).send().await?.json().await?;
    assert_eq!(status["rate_limit"], json!({"requests": 1, "per_ms": 1000}));
    let url = format!("{}/v1/user/u/", program.url);
    assert_eq!(client().post(url).body("{  }").send().await?.status(), 413);
    let status: Value = client().get(format!("{}/_hub/", program.url)).send().await?.json().await?;
    assert_eq!(status["requests"], json!({"recorded": 0, "dropped": 1}));
    Ok(())
}

#[test]
fn what_it_cannot_use_is_one_clear_line() -> Result {
    let list = file("list.json", &json!([]))?;
    let wrong = file("wrong.json", &json!({"user-1": {"$email": "x"}}))?;
    let [list, wrong] = [&list, &wrong].map(|path| path.to_str().unwrap_or_default());
    let cases: [(&[&str], &str); 4] = [
        (&["--seed", "/nowhere"], "suprsend-mock: cannot read /nowhere: "),
        (&["--seed", list], "is not an object that has a body under each distinct_id: "),
        (&["--port", "0", "--seed", wrong], "suprsend-mock: cannot start: user-1: $email: "),
        (&["--document", wrong], "suprsend-mock: cannot start: the document has no `paths`"),
    ];
    for (arguments, expected) in cases {
        let output = command(arguments).output()?;
        let error = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
    }
    Ok(())
}

#[test]
fn a_secret_on_the_command_line_is_not_repeated() -> Result {
    let output = command(&["--workspace", "the-secret"]).output()?;
    let error = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("--workspace is not of the form KEY:SECRET"), "{error}");
    assert!(!error.contains("the-secret"), "{error}");
    Ok(())
}

/// A program whose URL nobody reads ends; one whose log nobody reads goes on.
#[tokio::test]
async fn a_closed_pipe_ends_it_quietly() -> Result {
    let closed = || -> Result<std::io::PipeWriter> { Ok(std::io::pipe()?.1) };
    let output = command(&["--port", "0"]).stdout(closed()?).output()?;
    assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(141), true), "{output:?}");
    let status = command(&["--port", "0"]).stdout(closed()?).stderr(closed()?).status()?;
    assert_eq!(status.code(), Some(141));
    let status = command(&["--document", "not-there.json"]).stderr(closed()?).status()?;
    assert_eq!(status.code(), Some(1), "an error that nobody reads");

    let mut child =
        command(&["--port", "0", "--key", "k"]).stdout(Stdio::piped()).stderr(closed()?).spawn()?;
    let mut url = String::new();
    BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut url)?;
    let program = Program { child, url: url.trim_end().to_owned() };
    for _ in 0..3 {
        let user = format!("{}/v1/user/u/", program.url);
        assert_eq!(client().post(&user).bearer_auth("k").send().await?.status(), 201);
    }
    Ok(())
}
