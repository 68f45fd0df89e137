//! Runs the `allonym` command as its users do: a process, its exit code, stdout and stderr.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses its own part of this module"
)]
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder of its own with a configuration home and a ready keyring.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// A fresh machine: no policy, no keyring.
    pub(crate) fn fresh() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Place { folder }
    }

    /// With the user's default keyring.
    pub(crate) fn with_keys() -> Place {
        let place = Place::fresh();
        assert_eq!(place.run(&["key", "new"]).exit, 0);
        place
    }

    /// The working folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Names in the working folder, sorted, hidden ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_allonym"));
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env_clear()
            .env("ALLONYM_CONFIG_HOME", self.config())
            .env("SOURCE_DATE_EPOCH", "1767225600")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(&self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with(&self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Ended {
        let mut command = self.command(arguments);
        change(&mut command);
        ended(&command.output().unwrap())
    }

    /// Runs as a user whom permissions bind. Root, whom they do not, becomes nobody, and gives
    /// everything in the place away first.
    #[cfg(target_os = "linux")]
    pub(crate) fn run_bound(&self, arguments: &[&str]) -> Ended {
        use std::os::unix::fs::{MetadataExt, lchown};
        use std::os::unix::process::CommandExt;
        const NOBODY: u32 = 65_534;
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return self.run(arguments);
        }
        let command = self.folder.path().join("allonym");
        drop(fs::remove_file(&command));
        let mut all = vec![self.folder.path().to_owned()];
        while let Some(path) = all.pop() {
            if path.is_dir() && !path.is_symlink() {
                all.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            lchown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        // Where the command was built nobody may have no business.
        let built = env!("CARGO_BIN_EXE_allonym");
        fs::hard_link(built, &command).or_else(|_| fs::copy(built, &command).map(drop)).unwrap();
        let like = self.command(arguments);
        let mut bound = Command::new(&command);
        bound.args(like.get_args()).current_dir(self.path("")).env_clear().stdin(Stdio::null());
        bound.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        ended(&bound.uid(NOBODY).gid(NOBODY).output().unwrap())
    }

    pub(crate) fn run_with_stdin(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let bytes = stdin.to_vec();
        let feeder = std::thread::spawn(move || {
            // The command may refuse the input before it has read all of it.
            drop(pipe.write_all(&bytes));
        });
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        ended(&output)
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// All files below a folder, by path, hidden ones too.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

impl Ended {
    /// What was printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// Sings no canary of expiries and erasures, in no log line either.
    #[track_caller]
    pub(crate) fn silent(self) -> Ended {
        for text in [&self.out, &self.err] {
            assert!(!text.contains("kanarienvogel") && !text.contains(".4711"), "{text}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn expect(self, exit: i32) -> Ended {
        assert_eq!(self.exit, exit, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Every fragment stands in the error.
    #[track_caller]
    pub(crate) fn says(self, fragments: &[&str]) -> Ended {
        for fragment in fragments {
            assert!(self.err.contains(fragment), "no `{fragment}` in:\n{}", self.err);
        }
        self
    }
}

pub(crate) fn ended(output: &Output) -> Ended {
    Ended {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A policy that treats the named columns and nothing else.
pub(crate) fn policy(columns: &[(&str, &str)]) -> String {
    let mut text = String::from("version = 1\n[policy]\nname = \"test\"\n");
    for (name, treatment) in columns {
        text.push_str(&format!("[columns.{name:?}]\n{treatment}\n"));
    }
    text
}

/// Folder of the optional corpora, if this machine has them; says so when it has not.
pub(crate) fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("ALLONYM_DATA").map(PathBuf::from);
    if folder.is_none() {
        drop(writeln!(std::io::stderr(), "left out: ALLONYM_DATA is not set"));
    }
    folder
}

pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}
