//! A PostgreSQL of one's own, for tests and examples: in a temporary folder, reached by a socket there. It ends with the program that started
//! it, however that ends.

#![allow(dead_code, reason = "not everything is used by every test and example")]

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A server, which is stopped when it is dropped.
pub(crate) struct Postgres {
    #[cfg(unix)]
    watch: watch::Watch,
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

/// Reason why there is no server.
#[derive(Debug)]
pub(crate) enum Unavailable {
    /// PostgreSQL 15 or newer is not on the machine.
    NotInstalled,
    Failed(String),
}

impl Postgres {
    pub(crate) fn start() -> Result<Self, Unavailable> {
        let programs = programs().ok_or(Unavailable::NotInstalled)?;
        Self::set_up(programs).map_err(Unavailable::Failed)
    }

    fn set_up(programs: PathBuf) -> Result<Self, String> {
        let folder =
            tempfile::Builder::new().prefix("outbox-").tempdir().map_err(|error| error.to_string())?;
        let user = user(folder.path())?;
        #[cfg(unix)]
        let watch = watch::Watch::start(folder.path()).map_err(|error| format!("cannot run sh: {error}"))?;
        let postgres = Self {
            #[cfg(unix)]
            watch,
            folder,
            programs,
            user,
        };
        postgres.run(
            "initdb",
            &["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"],
        )?;
        postgres.pg_ctl(&["start"])?;
        Ok(postgres)
    }

    /// The URL of a database of the server.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.path().display())
    }

    /// Makes a program end when the server does.
    pub(crate) fn attach(&self, command: &mut Command) {
        #[cfg(unix)]
        self.watch.attach(command);
        #[cfg(not(unix))]
        let _ = (self, command);
    }

    /// The server's own process.
    pub(crate) fn process(&self) -> u32 {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        file.lines().next().and_then(|line| line.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Crashes the server and starts it again.
    pub(crate) fn crash(&self) -> Result<(), String> {
        self.pg_ctl(&["restart", "--mode=immediate"])
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Result<(), String> {
        let folder = self.folder.path().display();
        let options = format!("-k '{folder}' -c listen_addresses='' -c max_connections=200");
        let log = self.folder.path().join("log").display().to_string();
        let mut all = vec!["--wait", "--silent", "--log", &log, "--options", &options];
        all.extend(arguments);
        self.run("pg_ctl", &all)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).arg("--pgdata").arg(self.folder.path().join("data"));
        // The server outlives the command, so it must not hold what the output is read from.
        let errors = tempfile::tempfile().map_err(|error| error.to_string())?;
        let copy = errors.try_clone().map_err(|error| error.to_string())?;
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(copy);
        #[cfg(unix)]
        if let Some((user, group)) = self.user {
            use std::os::unix::process::CommandExt;

            command.uid(user).gid(group);
        }
        let status = command.status().map_err(|error| format!("cannot run {program}: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        Err(format!("{program} failed: {}\n{log}", read(errors)))
    }
}

#[cfg(unix)]
mod watch {
    use std::{
        io,
        os::unix::process::CommandExt,
        path::Path,
        process::{Child, Command, Stdio},
    };

    /// A shell that waits for the end of its input, which comes when the program that holds the other end is gone, even by SIGKILL. Then it stops
    /// the server as a crash would, removes the folder, and kills its process group.
    const SCRIPT: &str = r#"
        cat >/dev/null
        if server=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && [ -n "$server" ]; then
            kill -QUIT "$server"
            while [ -e "$1/data/postmaster.pid" ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; done
        fi
        rm -rf "$1"
        kill -KILL 0
    "#;

    pub(super) struct Watch(Child);

    impl Watch {
        pub(super) fn start(folder: &Path) -> io::Result<Self> {
            let mut command = Command::new("sh");
            command.args(["-c", SCRIPT, "sh"]).arg(folder).current_dir("/").process_group(0);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Self)
        }

        /// Puts a program into the process group.
        pub(super) fn attach(&self, command: &mut Command) {
            command.process_group(i32::try_from(self.0.id()).unwrap_or_default());
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            drop(self.0.stdin.take());
            let _ = self.0.wait();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.pg_ctl(&["stop", "--mode=immediate"]) {
            eprintln!("cannot stop PostgreSQL: {error}");
        }
    }
}

fn read(mut file: fs::File) -> String {
    use io::{Read, Seek};

    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    read.map(|_| text).unwrap_or_default()
}

/// The folder of the newest server's programs, 15 at least.
fn programs() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    folders.sort();
    let newest = folders.into_iter().rev().find(|(version, folder)| *version >= 15 && has_server(folder));
    newest.map(|(_, folder)| folder).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| has_server(folder) && is_new(folder))
    })
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// Returns whether `postgres --version`, such as `postgres (PostgreSQL) 15.13`, says 15 or newer.
fn is_new(folder: &Path) -> bool {
    let output = Command::new(folder.join("postgres")).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = text.split_whitespace().find_map(|word| word.split('.').next()?.parse::<u32>().ok());
    version.is_some_and(|version| version >= 15)
}

/// The user and group to run the server as, where that is root, which it refuses to be. The folder becomes theirs.
#[cfg(unix)]
fn user(folder: &Path) -> Result<Option<(u32, u32)>, String> {
    use std::os::unix::fs::{MetadataExt, chown};

    let owner = fs::metadata(folder).map_err(|error| error.to_string())?.uid();
    if owner != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        Some((ids.next()?.ok()?, ids.next()?.ok()?))
    };
    let (user, group) = find("postgres").or_else(|| find("nobody")).ok_or("there is no user but root")?;
    chown(folder, Some(user), Some(group)).map_err(|error| error.to_string())?;
    Ok(Some((user, group)))
}

#[cfg(not(unix))]
fn user(_: &Path) -> Result<Option<(u32, u32)>, String> {
    Ok(None)
}

/// Sends a signal to a process. Returns whether there is one. The shell's own command is on every machine.
pub(crate) fn signal(process: u32, name: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", r#"kill -s "$0" "$1""#, name]).arg(process.to_string()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
