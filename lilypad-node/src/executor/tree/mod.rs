//! The files that a program sees.
//!
//! Names and folders live in memory only; what a file holds lies in a scratch folder under a number. A path that a program gives is
//! looked up in the [`Tree`] and nowhere else, so no `..`, absolute path or link, however clever, can name a file of the machine:
//! there is nothing to check for. Names meet the machine's file system once, when the outputs are [collected](collect), after the
//! program has ended.
//!
//! Inputs stay where they are until the program writes to one: then it gets a copy of its own.

mod change;
mod collect;
mod content;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::SystemTime;

use tempfile::TempDir;

pub(super) use self::collect::is_plain;
use super::quota::Quota;
use super::wasi::{Errno, Interrupt};

/// The most bytes in a name, as on the file systems that outputs end up on.
const MAX_NAME: usize = 255;

/// The number of a file or folder. Never used twice, so that it also orders a folder's entries by their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Inode(pub(super) u64);

/// The topmost folder. 2, because a listing keeps 1 and 2 to say that it is past `.` and `..`.
const ROOT: Inode = Inode(2);

/// All files and folders that one program sees.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: HashMap<Inode, Node>,
    last: Inode,
    scratch: TempDir,
    /// What the program has used up; its output streams count too.
    pub(super) quota: Quota,
}

/// A file or a folder.
#[derive(Debug)]
struct Node {
    kind: Kind,
    /// How many descriptors are open on it.
    open: u32,
    /// Whether it has a name; without one it goes with its last descriptor.
    named: bool,
    /// Whether it is a folder that belongs to the task and cannot be moved or removed.
    fixed: bool,
    accessed: SystemTime,
    modified: SystemTime,
}

/// What a node is.
#[derive(Debug)]
enum Kind {
    Directory { parent: Inode, children: BTreeMap<String, Inode> },
    File { content: Content, size: u64 },
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
enum Content {
    /// In an input of the job, which must not change.
    Input(PathBuf),
    /// In the scratch folder.
    Scratch(PathBuf),
}

/// Where a path leads.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The folder that holds it.
    directory: Inode,
    /// Its name there; `None` where the path names the folder itself, as `.` does.
    name: Option<String>,
    /// What is there, if anything.
    pub(super) found: Option<Inode>,
    /// Whether the path ends with a slash and so can only mean a folder.
    slash: bool,
}

/// What there is to know about a file or folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stat {
    /// Its number.
    pub(super) inode: Inode,
    /// Whether it is a folder.
    pub(super) is_directory: bool,
    /// Bytes in it; 0 for a folder.
    pub(super) size: u64,
    /// When it was last read, as far as the program said so.
    pub(super) accessed: SystemTime,
    /// When it was last changed.
    pub(super) modified: SystemTime,
}

impl Tree {
    /// A tree with nothing but its topmost folder, which keeps what files hold in `scratch`.
    pub(super) fn new(scratch: TempDir, quota: Quota) -> Self {
        let mut root = Node::new(Kind::Directory { parent: ROOT, children: BTreeMap::new() });
        root.fixed = true;
        Self { nodes: HashMap::from([(ROOT, root)]), last: ROOT, scratch, quota }
    }

    /// The topmost folder.
    pub(super) fn root(&self) -> Inode {
        ROOT
    }

    /// What there is to know about `inode`.
    pub(super) fn stat(&self, inode: Inode) -> Result<Stat, Errno> {
        let node = self.node(inode)?;
        let (is_directory, size) = match &node.kind {
            Kind::Directory { .. } => (true, 0),
            Kind::File { size, .. } => (false, *size),
        };
        Ok(Stat { inode, is_directory, size, accessed: node.accessed, modified: node.modified })
    }

    /// The entries of a folder that are younger than `after`, oldest first.
    ///
    /// Age gives an order in which a program can remove entries while it lists them and still see every other one.
    pub(super) fn entries(&self, directory: Inode, after: Inode) -> Result<Vec<(&str, Stat)>, Errno> {
        let mut entries = Vec::new();
        for (name, inode) in self.children(directory)? {
            if *inode > after {
                entries.push((name.as_str(), self.stat(*inode)?));
            }
        }
        entries.sort_unstable_by_key(|(_, stat)| stat.inode);
        Ok(entries)
    }

    /// The folder that holds a folder; the topmost one holds itself.
    pub(super) fn parent(&self, directory: Inode) -> Result<Inode, Errno> {
        match &self.node(directory)?.kind {
            Kind::Directory { parent, .. } => Ok(*parent),
            Kind::File { .. } => Err(Errno::NotDir),
        }
    }

    /// Finds where `path` leads from the folder `base`, which it cannot leave.
    pub(super) fn resolve(&self, base: Inode, path: &str) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(Errno::NoEnt);
        }
        if path.starts_with('/') {
            return Err(Errno::NotCapable);
        }
        let slash = path.ends_with('/');
        let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".").peekable();
        // The folders on the way down from `base`, so that `..` knows the way back and where it ends.
        let mut way = Vec::new();
        let mut directory = base;
        self.children(directory)?;
        while let Some(part) = parts.next() {
            if part == ".." {
                directory = way.pop().ok_or(Errno::NotCapable)?;
                continue;
            }
            if part.len() > MAX_NAME {
                return Err(Errno::NameTooLong);
            }
            if part.contains('\0') {
                return Err(Errno::Inval);
            }
            let found = self.children(directory)?.get(part).copied();
            if parts.peek().is_none() {
                return Ok(Place { directory, name: Some(part.to_owned()), found, slash });
            }
            let next = found.ok_or(Errno::NoEnt)?;
            self.children(next)?;
            way.push(directory);
            directory = next;
        }
        Ok(Place { directory, name: None, found: Some(directory), slash })
    }

    /// The same, for something that has to exist and, where the path ends with a slash, has to be a folder.
    pub(super) fn find(&self, base: Inode, path: &str) -> Result<Inode, Errno> {
        let place = self.resolve(base, path)?;
        let inode = place.found.ok_or(Errno::NoEnt)?;
        if place.slash && !self.node(inode)?.is_directory() {
            return Err(Errno::NotDir);
        }
        Ok(inode)
    }

    /// Counts one more descriptor on `inode`.
    pub(super) fn opened(&mut self, inode: Inode) -> Result<(), Errno> {
        self.node_mut(inode)?.open += 1;
        Ok(())
    }

    /// Counts one descriptor less, and forgets a nameless file with its last.
    pub(super) fn closed(&mut self, inode: Inode) -> Result<(), Interrupt> {
        let node = self.node_mut(inode)?;
        node.open = node.open.saturating_sub(1);
        self.forget_if_unused(inode)
    }

    /// Says when `inode` was last read and changed; `None` leaves a time as it is.
    pub(super) fn set_times(
        &mut self,
        inode: Inode,
        accessed: Option<SystemTime>,
        modified: Option<SystemTime>,
    ) -> Result<(), Errno> {
        let node = self.node_mut(inode)?;
        node.accessed = accessed.unwrap_or(node.accessed);
        node.modified = modified.unwrap_or(node.modified);
        Ok(())
    }

    fn node(&self, inode: Inode) -> Result<&Node, Errno> {
        self.nodes.get(&inode).ok_or(Errno::NoEnt)
    }

    fn node_mut(&mut self, inode: Inode) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&inode).ok_or(Errno::NoEnt)
    }

    fn children(&self, directory: Inode) -> Result<&BTreeMap<String, Inode>, Errno> {
        match &self.node(directory)?.kind {
            Kind::Directory { children, .. } => Ok(children),
            Kind::File { .. } => Err(Errno::NotDir),
        }
    }

    /// The entries of a folder that is about to change.
    fn children_mut(&mut self, directory: Inode) -> Result<&mut BTreeMap<String, Inode>, Errno> {
        let node = self.node_mut(directory)?;
        if !node.named && !node.fixed {
            // Removed while a descriptor was open on it: nothing may be put there any more.
            return Err(Errno::NoEnt);
        }
        match &mut node.kind {
            Kind::Directory { children, .. } => {
                node.modified = SystemTime::now();
                Ok(children)
            }
            Kind::File { .. } => Err(Errno::NotDir),
        }
    }
}

impl Node {
    fn new(kind: Kind) -> Self {
        let now = SystemTime::now();
        Self { kind, open: 0, named: true, fixed: false, accessed: now, modified: now }
    }

    fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory { .. })
    }
}

#[cfg(test)]
mod tests;
