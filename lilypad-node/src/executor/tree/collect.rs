//! Where a program's files meet the machine's: inputs on their way in, outputs on their way out.

use std::fs;
use std::path::{Component, Path};

use super::super::Failure;
use super::super::wasi::Interrupt;
use super::content::deliver;
use super::{Content, Inode, Kind, Tree};

impl Tree {
    /// Shows the files of the host's folder `source` in `directory`, without copying them.
    pub(in super::super) fn add_inputs(&mut self, directory: Inode, source: &Path) -> Result<(), Interrupt> {
        let mut pending = vec![(directory, source.to_owned())];
        while let Some((directory, source)) = pending.pop() {
            for entry in fs::read_dir(&source).map_err(Failure::host("list", &source))? {
                let path = entry.map_err(Failure::host("list", &source))?.path();
                let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                    return Err(
                        Failure::Task(format!("the input {} has a name that is not UTF-8", path.display())).into()
                    );
                };
                // Not `metadata`: whoever put a link among the inputs chose a file of this machine.
                let metadata = fs::symlink_metadata(&path).map_err(Failure::host("read", &path))?;
                if metadata.is_dir() {
                    let child = self.create_directory(directory, name)?;
                    pending.push((child, path));
                } else if metadata.is_file() {
                    let place = self.resolve(directory, name)?;
                    let size = metadata.len();
                    let content = Content::Input(path);
                    let inode = self.add(&place, Kind::File { content, size })?;
                    self.set_times(inode, metadata.accessed().ok(), metadata.modified().ok())?;
                } else {
                    return Err(Failure::Task(format!("the input `{name}` is neither a file nor a folder")).into());
                }
            }
        }
        Ok(())
    }

    /// Puts everything in `directory` into a new folder `target` of the host.
    pub(in super::super) fn collect(&self, directory: Inode, target: &Path) -> Result<(), Interrupt> {
        let mut pending = vec![(directory, target.to_owned())];
        while let Some((directory, target)) = pending.pop() {
            fs::create_dir(&target).map_err(Failure::host("create", &target))?;
            for (name, inode) in self.children(directory)? {
                if !is_plain(name) {
                    let reason = format!("the output name `{}` cannot be used on this machine", name.escape_debug());
                    return Err(Failure::Task(reason).into());
                }
                let path = target.join(name);
                if self.node(*inode)?.is_directory() {
                    pending.push((*inode, path));
                } else if path.symlink_metadata().is_ok() {
                    // Only where the machine takes `a` and `A` for the same name.
                    let reason = format!("the output name `{name}` is there twice in this machine's eyes");
                    return Err(Failure::Task(reason).into());
                } else {
                    deliver(self.content(*inode)?, &path)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether `name` is one ordinary part of a path here; `a\b` and `C:` are elsewhere than they seem on some systems.
pub(in super::super) fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(part)), None) if part == name)
}
