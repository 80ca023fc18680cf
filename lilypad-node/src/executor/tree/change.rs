//! Making, moving and removing files and folders.

use std::collections::BTreeMap;
use std::fs;

use super::super::Failure;
use super::super::wasi::{Errno, Interrupt};
use super::{Content, Inode, Kind, Node, Place, Tree};

impl Tree {
    /// Makes an empty folder where `path` leads from `base`.
    pub(in super::super) fn create_directory(&mut self, base: Inode, path: &str) -> Result<Inode, Interrupt> {
        let place = self.resolve(base, path)?;
        self.add(&place, Kind::Directory { parent: place.directory, children: BTreeMap::new() })
    }

    /// Makes an empty file at `place`.
    pub(in super::super) fn create_file(&mut self, place: &Place) -> Result<Inode, Interrupt> {
        if place.slash {
            return Err(Errno::IsDir.into());
        }
        let scratch = self.new_scratch();
        fs::File::create_new(&scratch).map_err(Failure::host("create", &scratch))?;
        self.add(place, Kind::File { content: Content::Scratch(scratch), size: 0 })
    }

    /// Takes a file's name away; the file lives on while it is open.
    pub(in super::super) fn remove_file(&mut self, base: Inode, path: &str) -> Result<(), Interrupt> {
        let place = self.resolve(base, path)?;
        let inode = place.found.ok_or(Errno::NoEnt)?;
        if self.node(inode)?.is_directory() {
            return Err(Errno::IsDir.into());
        }
        if place.slash {
            return Err(Errno::NotDir.into());
        }
        self.unname(&place, inode)
    }

    /// Removes an empty folder.
    pub(in super::super) fn remove_directory(&mut self, base: Inode, path: &str) -> Result<(), Interrupt> {
        let place = self.resolve(base, path)?;
        let inode = place.found.ok_or(Errno::NoEnt)?;
        self.check_removable_directory(inode)?;
        self.unname(&place, inode)
    }

    /// Moves what is at one path to another, replacing a file or an empty folder there.
    pub(in super::super) fn rename(
        &mut self,
        (from_base, from_path): (Inode, &str),
        (to_base, to_path): (Inode, &str),
    ) -> Result<(), Interrupt> {
        let from = self.resolve(from_base, from_path)?;
        let to = self.resolve(to_base, to_path)?;
        let inode = from.found.ok_or(Errno::NoEnt)?;
        let (Some(from_name), Some(to_name)) = (&from.name, &to.name) else { return Err(Errno::Busy.into()) };
        let moved = self.node(inode)?;
        if moved.fixed {
            return Err(Errno::Busy.into());
        }
        let is_directory = moved.is_directory();
        if !is_directory && (from.slash || to.slash) {
            return Err(Errno::NotDir.into());
        }
        if is_directory && self.is_within(to.directory, inode)? {
            return Err(Errno::Inval.into());
        }
        // Before anything changes: the folder that it goes to may be one that was removed.
        self.children_mut(to.directory)?;
        match to.found {
            Some(replaced) if replaced == inode => return Ok(()),
            Some(replaced) => {
                match (is_directory, self.node(replaced)?.is_directory()) {
                    (true, true) => self.check_removable_directory(replaced)?,
                    (true, false) => return Err(Errno::NotDir.into()),
                    (false, true) => return Err(Errno::IsDir.into()),
                    (false, false) => {}
                }
                self.unname(&to, replaced)?;
            }
            None => {}
        }
        self.children_mut(from.directory)?.remove(from_name);
        self.children_mut(to.directory)?.insert(to_name.clone(), inode);
        if let Kind::Directory { parent, .. } = &mut self.node_mut(inode)?.kind {
            *parent = to.directory;
        }
        Ok(())
    }

    /// Makes the folder that an absolute `path` names, and those above it; none of them can be moved or removed by the program.
    pub(in super::super) fn create_fixed(&mut self, path: &str) -> Result<Inode, Interrupt> {
        let mut directory = self.root();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            directory = match self.resolve(directory, part)?.found {
                Some(found) => found,
                None => self.create_directory(directory, part)?,
            };
            self.children(directory)?;
            self.node_mut(directory)?.fixed = true;
        }
        Ok(directory)
    }

    /// Drops what a node without name and descriptors held.
    pub(super) fn forget_if_unused(&mut self, inode: Inode) -> Result<(), Interrupt> {
        let node = self.node(inode)?;
        if node.named || node.fixed || node.open > 0 {
            return Ok(());
        }
        if let Some(Node { kind: Kind::File { content: Content::Scratch(path), size }, .. }) = self.nodes.remove(&inode)
        {
            fs::remove_file(&path).map_err(Failure::host("remove", &path))?;
            self.quota.return_bytes(size);
        }
        self.quota.return_file();
        Ok(())
    }

    /// Gives `kind` the name of `place`, where nothing may be yet.
    pub(super) fn add(&mut self, place: &Place, kind: Kind) -> Result<Inode, Interrupt> {
        let Some(name) = place.name.as_ref().filter(|_| place.found.is_none()) else { return Err(Errno::Exist.into()) };
        self.children_mut(place.directory)?;
        self.quota.take_file()?;
        self.last = Inode(self.last.0 + 1);
        self.nodes.insert(self.last, Node::new(kind));
        let inode = self.last;
        self.children_mut(place.directory)?.insert(name.clone(), inode);
        Ok(inode)
    }

    fn unname(&mut self, place: &Place, inode: Inode) -> Result<(), Interrupt> {
        let name = place.name.as_ref().ok_or(Errno::Busy)?;
        self.children_mut(place.directory)?.remove(name);
        self.node_mut(inode)?.named = false;
        self.forget_if_unused(inode)
    }

    fn check_removable_directory(&self, inode: Inode) -> Result<(), Errno> {
        if !self.children(inode)?.is_empty() {
            return Err(Errno::NotEmpty);
        }
        if self.node(inode)?.fixed { Err(Errno::Busy) } else { Ok(()) }
    }

    /// Whether `directory` is `ancestor` or lies somewhere below it.
    fn is_within(&self, directory: Inode, ancestor: Inode) -> Result<bool, Errno> {
        let mut current = directory;
        while current != ancestor {
            if current == self.root() {
                return Ok(false);
            }
            current = self.parent(current)?;
        }
        Ok(true)
    }
}
