//! The modules that come along, so that a first job needs neither a network nor a container engine.

use lilypad_sdk::module::Bundle;

macro_rules! module {
    ($bundle:expr, $name:literal) => {
        $bundle.with(
            $name,
            [
                (
                    "lilypad_module.json.tmpl",
                    &include_bytes!(concat!("../modules/", $name, "/lilypad_module.json.tmpl"))[..],
                ),
                ("program.wasm", &include_bytes!(concat!("../modules/", $name, "/program.wasm"))[..]),
            ],
        )
    };
}

/// The modules that come along: `cowsay`, `fail`, `files`, `image` and `sleep`, at any ref.
pub fn bundled_modules() -> Bundle {
    let bundle = Bundle::default();
    let bundle = module!(bundle, "cowsay");
    let bundle = module!(bundle, "fail");
    let bundle = module!(bundle, "files");
    let bundle = module!(bundle, "image");
    module!(bundle, "sleep")
}
