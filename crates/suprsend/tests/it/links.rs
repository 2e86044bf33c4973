//! The import's files while somebody puts links in their place, between a check and the opening that follows it.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;

use self::files::Mode;

#[path = "../../examples/import/files.rs"]
#[allow(dead_code, reason = "some of it is for whole imports")]
mod files;

/// The number of times that a file is opened, which is hundreds of times the number after which a link is followed where nothing forbids it.
const TURNS: usize = 20_000;

/// A folder with a file that must stay as it is, and a place where the import has one of its own.
struct Folder {
    root: TempDir,
    target: PathBuf,
    planted: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let [target, planted] = ["target", "planted"].map(|name| root.path().join(name));
        fs::write(&target, "precious").unwrap();
        Self { root, target, planted }
    }

    /// Does one thing again and again, which tells whether it was right, while another thread does the other.
    #[track_caller]
    fn race(&self, other: impl Fn() + Sync, act: impl Fn() -> bool) {
        let is_over = AtomicBool::new(false);
        let is_right = thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    other();
                }
            });
            let is_right = (0..TURNS).all(|_| act());
            is_over.store(true, Ordering::Relaxed);
            is_right
        });
        assert!(is_right);
        assert_eq!(fs::read_to_string(&self.target).unwrap(), "precious");
    }

    /// Puts a file of the import there, then a link, each at once.
    fn swap(&self) {
        let new = self.root.path().join("new");
        fs::write(&new, "own").unwrap();
        fs::rename(&new, &self.planted).unwrap();
        symlink(&self.target, &new).unwrap();
        fs::rename(&new, &self.planted).unwrap();
    }
}

#[test]
fn a_link_is_not_read_through() {
    let folder = Folder::new();
    let read = |file: &Path| {
        let mut content = String::new();
        let opened = files::open(file).ok().flatten();
        opened.is_none_or(|mut opened| opened.read_to_string(&mut content).is_ok() && content == "own")
    };
    folder.race(|| folder.swap(), || read(&folder.planted));
}

#[test]
fn a_link_is_not_written_through() {
    let folder = Folder::new();
    let write = |file: &Path| {
        files::open(file).ok().flatten().is_none_or(|mut opened| opened.write_all(b"new").is_ok())
    };
    folder.race(|| folder.swap(), || write(&folder.planted));
}

#[test]
fn a_link_is_not_created_through() {
    let folder = Folder::new();
    let plant = || {
        // It fails while there is a file.
        let _ = symlink(&folder.target, &folder.planted);
        let _ = fs::remove_file(&folder.planted);
    };
    let mode = Mode::from_input(&folder.target);
    let create = |file: &Path| {
        files::create(file, mode).ok().is_none_or(|mut created| created.write_all(b"new").is_ok())
    };
    folder.race(plant, || create(&folder.planted));
}
