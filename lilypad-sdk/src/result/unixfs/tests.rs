use super::*;

/// Bytes that differ from chunk to chunk.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + (at >> 8) * 7 + (at >> 16) + 3) as u8).collect()
}

/// The node of a file.
fn file(bytes: &[u8]) -> Node {
    let mut hasher = FileHasher::default();
    hasher.update(bytes);
    hasher.finish()
}

#[test]
fn files_have_the_ids_that_ipfs_gives_them() {
    // Made with the libraries that `ipfs add` is made of: one chunk, a chunk and a byte, a full row of chunks, a row and a byte.
    for (size, cid) in [
        (0, "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"),
        (1, "QmTcYLauNCrhA67eQKBftMBTbhLmK8Q8gVRCkWYk3BcBhh"),
        (262_144, "Qmb8sN6xPhQn2zrtDieVktpHy833cP7gQ2eLMTyWnpKtXY"),
        (262_145, "QmcFUFkEeEDyu8gbFEVYGp87UZYEJHn5eUt2ecDhbJUhhe"),
        (174 * 262_144, "Qmca1Tt6yjhVwkYjkufYkfGbdui1VxmBvTkmNEfX9Jqp68"),
        (174 * 262_144 + 1, "QmSMGiZGRy3dQHXGSko8uN2PEe3ZZ9P6CrcRejTKVyNDxd"),
    ] {
        assert_eq!(file(&bytes(size)).cid().as_str(), cid, "{size} bytes");
    }
}

#[test]
fn the_id_does_not_depend_on_how_the_bytes_come() {
    let bytes = bytes(3 * 262_144 + 17);
    let whole = file(&bytes);
    for piece in [1021, 65_536, 262_143, 262_144, 262_145, 600_000] {
        let mut hasher = FileHasher::default();
        for piece in bytes.chunks(piece) {
            hasher.update(piece);
        }
        assert_eq!(hasher.finish(), whole, "pieces of {piece} bytes");
    }
}

#[test]
fn folders_have_the_ids_that_ipfs_gives_them() {
    assert_eq!(
        DirectoryBuilder::default().finish().map(|node| node.cid().to_string()),
        Ok("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn".to_owned())
    );
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("outputs/empty")).unwrap();
    for (name, text) in
        [("z", "z"), ("a", "aa"), ("A", "A"), ("é", "e"), (".hidden", "h"), ("outputs/.x", "x"), ("outputs/b", "b")]
    {
        std::fs::write(root.join(name), text).unwrap();
    }
    assert_eq!(cid_of_path(root).unwrap().as_str(), "QmeLpAYH2rqnZL75jNdsdZqSVDN4vuDELrmsKNWNbKPwxE");
    // Named outright, a hidden file has an id too.
    assert_eq!(cid_of_path(root.join(".hidden")).unwrap(), file(b"h").cid());
}

#[cfg(unix)]
#[test]
fn links_are_hashed_as_links() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("../nowhere/else", folder.path().join("dangling")).unwrap();
    assert_eq!(cid_of_path(folder.path()).unwrap().as_str(), "QmVDRQb9Lg5FZ5SDGG4ZykhbrrSzficAZv9CiJz6w3jYeK");
}

#[cfg(unix)]
#[test]
fn a_socket_in_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("service.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = cid_of_path(folder.path()).unwrap_err();
    assert!(error.to_string().contains("service.sock is neither a file, a folder nor a link"), "{error}");
}

#[test]
fn a_folder_is_sharded_from_256_kibibytes_of_names_and_ids_on() {
    // 6552 names of 6 bytes with ids of 34 bytes leave 64 bytes for the last name and its id.
    let folder = |last: &str| {
        let mut folder = DirectoryBuilder::default();
        for number in 0..6552 {
            folder.add(format!("f{number:05}").as_bytes(), file(b""));
        }
        folder.add(last.as_bytes(), file(b"last"));
        folder.finish().unwrap().cid().to_string()
    };
    assert_eq!(folder(&"l".repeat(29)), "QmUvuNvreWUvhhiSBtCuuCksSyiepbeyTbGk9MzDLgtfZh");
    assert_eq!(folder(&"l".repeat(30)), "QmfKCyCcS1QL8h4imFVzv97su4bk8ar6UjSinFejbAHzdg");
}

#[test]
fn a_deep_tree_costs_no_stack() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d/".repeat(700));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("leaf"), "leaf").unwrap();
    let root = folder.path().to_owned();
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    small.spawn(move || cid_of_path(root)).unwrap().join().unwrap().unwrap();
}

#[test]
fn names_with_one_hash_are_refused_where_it_matters() {
    let names = ["the-first-block.and-its-end.text", "ruiceizdtzswtail9lLI.>C|fEvi>&`U"];
    let folder = |others: usize| {
        let mut folder = DirectoryBuilder::default();
        for number in 0..others {
            folder.add(number.to_string().as_bytes(), file(b""));
        }
        for name in names {
            folder.add(name.as_bytes(), file(b""));
        }
        folder.finish()
    };
    assert!(folder(10).is_ok());
    let collision = folder(10_000).unwrap_err();
    assert!(names.iter().all(|name| collision.to_string().contains(name)), "{collision}");
}
