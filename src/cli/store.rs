//! `deskbell store compact`: shrinks the store's files while no service has them.

use std::path::Path;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::{
    adapters::store::{
        compact::{self, Compacted},
        error::OpenError,
    },
    app::config::load::{load_store, whereabouts},
    cli::{prepare, report, run::Stop, terminal::Terminal},
    domain::text::{Locale, Message},
};

/// Shrinks the store of the configuration at `path`, which may be faulty elsewhere.
pub fn compact(path: &Path, terminal: Terminal) -> Result<(), Stop> {
    let mut faults = Vec::new();
    let Some(store) = load_store(path, &|name| std::env::var(name).ok(), &mut faults) else {
        let read = report::reader(&whereabouts(path).0);
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        return Err(prepare::faulty());
    };
    let bar = ProgressBar::new_spinner(); // draws nothing when standard error is no terminal
    let template = match terminal.locale {
        Locale::Zh => "{spinner} 正在复制，已有 {human_pos} 条记录（{elapsed}）",
        Locale::En => "{spinner} copying, records so far: {human_pos} ({elapsed})",
    };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let done = compact::compact(&store.path, |records| bar.set_position(records as u64));
    bar.finish_and_clear();
    let Compacted { records, bytes_before, bytes_after } = done.map_err(|error| refused(&error))?;
    let (before, after, at) = (HumanBytes(bytes_before), HumanBytes(bytes_after), store.path.display());
    terminal.say(&Message::new(
        format!("{at} 已收缩：{before} → {after}，{records} 条记录都在"),
        format!("{at} is compacted: {before} -> {after}, all {records} records are there"),
    ));
    Ok(())
}

fn refused(error: &OpenError) -> Stop {
    match error {
        OpenError::DiskFull(path) => {
            let path = path.display();
            Stop::failure(
                format!("数据目录 {path}：收缩时要放得下一份副本，空间不够，原来的数据没有动。请先腾出一些空间再运行"),
                format!(
                    "store {path}: compacting needs room for a copy and there is too little; the store is as it was. \
                     Free some space, then run this again"
                ),
            )
        }
        OpenError::Held { path, pid } => {
            let (path, pid) = (path.display(), pid.map_or_else(String::new, |pid| format!(" {pid}")));
            Stop::failure(
                format!("数据目录 {path}：进程{pid} 正在使用。请先停止服务，再来收缩"),
                format!("store {path}: process{pid} has it open. Stop the service first, then run this again"),
            )
        }
        other => Stop::Failure(other.message()),
    }
}
