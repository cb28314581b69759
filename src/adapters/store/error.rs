//! What can go wrong with the store, in words that say what to do.

use std::{
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::{key, value::Unreadable};
use crate::domain::text::Message;

/// Why the store cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process has it open.
    Held {
        /// The store.
        path: PathBuf,
        /// That process, where it said so.
        pid: Option<u32>,
    },
    /// We may not read or write there.
    NoPermission(PathBuf),
    /// Something stands there that is no directory.
    NotADirectory(PathBuf),
    /// No store stands there.
    Missing(PathBuf),
    /// The file system is mounted read-only.
    ReadOnly(PathBuf),
    /// No space is left.
    DiskFull(PathBuf),
    /// What is there is not what was written.
    Corrupt {
        /// The store.
        path: PathBuf,
        /// What was found.
        detail: Message,
    },
    /// A record of a version this deskbell does not know.
    UnknownVersion {
        /// The store.
        path: PathBuf,
        /// Which record.
        record: Message,
        /// Its version.
        found: u8,
    },
    /// A sled database that deskbell did not make.
    NotOurs(PathBuf),
    /// The device or file system failed.
    Io {
        /// The store.
        path: PathBuf,
        /// What it said.
        detail: String,
    },
    /// It failed while running, in a way that opening it again cannot heal.
    GaveUp {
        /// The store.
        path: PathBuf,
        /// The failure.
        failure: Message,
    },
}

/// Why a commit or a read failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// No space is left. Sticky; [`super::database::Store::reopen`] may heal it.
    DiskFull(PathBuf),
    /// The device or file system failed, or what is there cannot be read. Sticky, for good.
    Failed {
        /// The store.
        path: PathBuf,
        /// What it said.
        detail: Message,
    },
    /// A record is too long. Nothing of the commit was written; the store is well.
    TooLarge {
        /// Which record.
        record: Message,
        /// Its length in bytes.
        bytes: usize,
        /// The longest allowed, in bytes.
        max: usize,
    },
}

impl OpenError {
    /// What happened and what to do.
    pub fn message(&self) -> Message {
        match self {
            Self::Held { path, pid } => held(&path.display().to_string(), *pid),
            Self::NoPermission(path) => at(
                path,
                "没有权限读写，请把目录交给运行 deskbell 的用户（chown），或在 store.path 换一个目录",
                "no permission to read and write there; give the directory to the user who runs deskbell (chown), or set \
                 store.path to another one",
            ),
            Self::NotADirectory(path) => at(
                path,
                "不是目录，请移走该文件，或在 store.path 换一个目录",
                "not a directory; move that file away, or set store.path to a directory",
            ),
            Self::Missing(path) => at(
                path,
                "里面还没有数据。请确认 --config 和 store.path",
                "there is no store yet; check --config and store.path",
            ),
            Self::ReadOnly(path) => at(
                path,
                "所在文件系统是只读的，请重新挂载为可写，或在 store.path 换一个目录",
                "the file system is read-only; mount it writable, or set store.path to another directory",
            ),
            Self::DiskFull(path) => disk_full(path),
            Self::Corrupt { path, detail } => at(
                path,
                &format!(
                    "数据已损坏（{}）。请从备份恢复该目录；没有备份就移走它重新开始（只丢失提醒状态，工单会重新读取）",
                    detail.zh
                ),
                &format!(
                    "the data is damaged ({}); restore the directory from a backup, or move it away and start anew (alert \
                     states are lost, tickets are read again)",
                    detail.en
                ),
            ),
            Self::UnknownVersion { path, record, found } => at(
                path,
                &format!(
                    "“{}”是版本 {found}，这个 deskbell 不认识，多半由更新的版本写成。请升级 deskbell，或恢复升级前的备份",
                    record.zh
                ),
                &format!(
                    "\"{}\" has version {found}, which this deskbell does not know: a newer one wrote it; upgrade deskbell, \
                     or restore the backup made before the upgrade",
                    record.en
                ),
            ),
            Self::NotOurs(path) => at(
                path,
                "里面是别的程序的 sled 数据库，请在 store.path 换一个目录",
                "it holds a sled database of another program; set store.path to another directory",
            ),
            Self::Io { path, detail } => at(
                path,
                &format!("读写失败（{detail}），请检查磁盘和文件系统"),
                &format!("reading or writing failed ({detail}); check the disk and the file system"),
            ),
            Self::GaveUp { path, failure } => at(
                path,
                &format!("运行中失败，不能就地重开（{}）。请重启 deskbell", failure.zh),
                &format!(
                    "it failed while running and cannot be opened again in place ({}); restart deskbell",
                    failure.en
                ),
            ),
        }
    }

    /// From an error of the file system at `path`.
    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_path_buf();
        match error.kind() {
            ErrorKind::PermissionDenied => Self::NoPermission(path),
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(path),
            ErrorKind::NotADirectory => Self::NotADirectory(path),
            kind if is_full(kind) => Self::DiskFull(path),
            _ => Self::Io { path, detail: error.to_string() },
        }
    }

    /// From an error of sled.
    pub(super) fn sled(path: &Path, error: &sled::Error) -> Self {
        match error {
            // sled's own lock on its file; another deskbell was told by ours before.
            sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
                Self::Held { path: path.to_path_buf(), pid: None }
            }
            sled::Error::Io(error) => Self::io(path, error),
            sled::Error::Unsupported(why) => {
                Self::Corrupt { path: path.to_path_buf(), detail: Message::new(why.clone(), why.clone()) }
            }
            other => Self::Corrupt {
                path: path.to_path_buf(),
                detail: Message::new(format!("数据库报告 {other}"), format!("the database says: {other}")),
            },
        }
    }

    /// From a record that cannot be read.
    pub(super) fn unreadable(path: &Path, record: &[u8], why: Unreadable) -> Self {
        let (path, record) = (path.to_path_buf(), key::describe(record));
        match why {
            Unreadable::Version(found) => Self::UnknownVersion { path, record, found },
            Unreadable::Broken(why) => {
                let detail = Message::new(format!("“{}”：{why}", record.zh), format!("\"{}\": {why}", record.en));
                Self::Corrupt { path, detail }
            }
        }
    }
}

impl StoreError {
    /// What happened and what to do.
    pub fn message(&self) -> Message {
        match self {
            Self::DiskFull(path) => disk_full(path),
            Self::Failed { path, detail } => at(
                path,
                &format!("写入失败（{}），请检查磁盘后重启 deskbell", detail.zh),
                &format!("writing failed ({}); check the disk, then restart deskbell", detail.en),
            ),
            Self::TooLarge { record, bytes, max } => Message::new(
                format!("“{}”有 {bytes} 字节，超过上限 {max}，没有保存", record.zh),
                format!("\"{}\" has {bytes} bytes, more than the {max} allowed; it was not saved", record.en),
            ),
        }
    }

    /// From an error of sled while it was written or read.
    pub(super) fn sled(path: &Path, error: &sled::Error) -> Self {
        match error {
            sled::Error::Io(error) if is_full(error.kind()) => Self::DiskFull(path.to_path_buf()),
            other => Self::failed(path, &other.to_string()),
        }
    }

    /// A failure that only a restart may heal.
    pub(super) fn failed(path: &Path, detail: &str) -> Self {
        Self::Failed { path: path.to_path_buf(), detail: Message::new(detail, detail) }
    }

    /// From a record that cannot be read.
    pub(super) fn unreadable(path: &Path, record: &[u8], why: Unreadable) -> Self {
        let detail = OpenError::unreadable(path, record, why).message();
        Self::Failed { path: path.to_path_buf(), detail }
    }
}

/// No space, no quota, or a limit on the size of files: for us all the same.
const fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn at(path: &Path, zh: &str, en: &str) -> Message {
    let path = path.display();
    Message::new(format!("数据目录 {path}：{zh}"), format!("store {path}: {en}"))
}

fn disk_full(path: &Path) -> Message {
    at(
        path,
        "磁盘已满（或超出配额、文件大小限制）。请腾出空间；数据文件不会自行缩小，停止服务后可以用 deskbell store compact 收缩",
        "the disk is full (or over a quota or file size limit); free some space. The store's own files do not shrink by \
         themselves: deskbell store compact shrinks them while the service is stopped",
    )
}

fn held(path: &str, pid: Option<u32>) -> Message {
    let (who_zh, who_en) = match pid {
        Some(pid) => (format!("进程 {pid} "), format!("process {pid}")),
        None => ("另一个进程".to_owned(), "another process".to_owned()),
    };
    Message::new(
        format!(
            "数据目录 {path}：{who_zh}正在使用。一个目录只能由一个 deskbell 使用：请先停止它，或在 store.path 换一个目录"
        ),
        format!(
            "store {path}: {who_en} has it open. One directory serves one deskbell: stop the other first, or set \
             store.path to another directory"
        ),
    )
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for OpenError {}
impl std::error::Error for StoreError {}
