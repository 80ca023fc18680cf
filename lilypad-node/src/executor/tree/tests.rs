use super::*;
use crate::executor::Limits;

fn tree() -> Tree {
    Tree::new(tempfile::tempdir().unwrap(), Quota::new(&Limits::default()))
}

fn errno<T: std::fmt::Debug>(outcome: Result<T, Interrupt>) -> Errno {
    match outcome.unwrap_err() {
        Interrupt::Errno(errno) => errno,
        Interrupt::Stop(stop) => panic!("{stop}"),
    }
}

#[test]
fn a_path_never_leaves_the_folder_that_it_starts_from() {
    let mut tree = tree();
    let outputs = tree.create_fixed("/outputs").unwrap();
    tree.create_directory(outputs, "a").unwrap();
    for path in ["..", "../", "a/../..", "a/../../inputs", "./../x", "a/.././..", "/", "/etc/passwd", "//etc"] {
        assert_eq!(tree.resolve(outputs, path).unwrap_err(), Errno::NotCapable, "{path}");
    }
    assert_eq!(tree.find(outputs, "a/..").unwrap(), outputs);
    assert_eq!(tree.find(tree.root(), "outputs/../outputs/a/.").unwrap(), tree.find(outputs, "a").unwrap());
}

#[test]
fn a_path_through_something_that_is_no_folder_leads_nowhere() {
    let mut tree = tree();
    let root = tree.root();
    let place = tree.resolve(root, "file").unwrap();
    tree.create_file(&place).unwrap();
    for (path, expected) in [
        ("", Errno::NoEnt),
        ("missing", Errno::NoEnt),
        ("missing/..", Errno::NoEnt),
        ("file/x", Errno::NotDir),
        ("file/..", Errno::NotDir),
        ("file/", Errno::NotDir),
        ("a\0b", Errno::Inval),
    ] {
        assert_eq!(tree.find(root, path).unwrap_err(), expected, "{path:?}");
    }
    assert_eq!(tree.find(root, &"x".repeat(256)).unwrap_err(), Errno::NameTooLong);
}

#[test]
fn a_folder_does_not_move_into_itself() {
    let mut tree = tree();
    let root = tree.root();
    tree.create_directory(root, "a").unwrap();
    tree.create_directory(root, "a/b").unwrap();
    assert_eq!(errno(tree.rename((root, "a"), (root, "a/b/c"))), Errno::Inval);
    assert_eq!(errno(tree.rename((root, "a"), (root, "a/c"))), Errno::Inval);
    tree.rename((root, "a/b"), (root, "b")).unwrap();
    assert_eq!(tree.parent(tree.find(root, "b").unwrap()).unwrap(), root);
}

#[test]
fn what_the_task_gave_stays_where_it_is() {
    let mut tree = tree();
    let root = tree.root();
    tree.create_fixed("/data/outputs").unwrap();
    for path in ["data", "data/outputs"] {
        assert_eq!(errno(tree.rename((root, path), (root, "elsewhere"))), Errno::Busy, "{path}");
    }
    assert_eq!(errno(tree.remove_directory(root, "data/outputs")), Errno::Busy);
    assert_eq!(errno(tree.remove_directory(root, "data")), Errno::NotEmpty);
    assert_eq!(errno(tree.remove_directory(root, ".")), Errno::NotEmpty);
}

#[test]
fn renaming_replaces_only_like_with_like() {
    let mut tree = tree();
    let root = tree.root();
    for name in ["empty", "full", "full/child", "other"] {
        tree.create_directory(root, name).unwrap();
    }
    let place = tree.resolve(root, "file").unwrap();
    tree.create_file(&place).unwrap();
    assert_eq!(errno(tree.rename((root, "other"), (root, "full"))), Errno::NotEmpty);
    assert_eq!(errno(tree.rename((root, "other"), (root, "file"))), Errno::NotDir);
    assert_eq!(errno(tree.rename((root, "file"), (root, "empty"))), Errno::IsDir);
    assert_eq!(errno(tree.rename((root, "file"), (root, "new/"))), Errno::NotDir);
    tree.rename((root, "other"), (root, "empty")).unwrap();
    assert_eq!(tree.find(root, "other").unwrap_err(), Errno::NoEnt);
}

#[test]
fn a_removed_folder_takes_nothing_more_in() {
    let mut tree = tree();
    let root = tree.root();
    let folder = tree.create_directory(root, "folder").unwrap();
    tree.opened(folder).unwrap();
    tree.remove_directory(root, "folder").unwrap();
    assert_eq!(errno(tree.create_directory(folder, "child")), Errno::NoEnt);
    tree.closed(folder).unwrap();
    assert_eq!(tree.stat(folder).unwrap_err(), Errno::NoEnt);
}

#[test]
fn room_comes_back_when_the_last_descriptor_of_a_removed_file_closes() {
    let limits = Limits { output_bytes: 10, files: 1, ..Limits::default() };
    let mut tree = Tree::new(tempfile::tempdir().unwrap(), Quota::new(&limits));
    let root = tree.root();
    for _ in 0..3 {
        let place = tree.resolve(root, "file").unwrap();
        let file = tree.create_file(&place).unwrap();
        tree.opened(file).unwrap();
        tree.grow(file, 10).unwrap();
        tree.remove_file(root, "file").unwrap();
        assert!(matches!(tree.quota.take_bytes(1), Err(super::super::Failure::OutputBytes { limit: 10 })));
        tree.closed(file).unwrap();
    }
    assert_eq!(fs_entries(&tree), 0);
}

fn fs_entries(tree: &Tree) -> usize {
    std::fs::read_dir(tree.scratch.path()).unwrap().count()
}
