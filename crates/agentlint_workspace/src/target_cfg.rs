//! The `cfg` predicates that hold on a platform, from its name alone: no compiler is asked.

use agentlint_semantic::input::CfgOptions;
use agentlint_syntax::name;
use cfg_expr::targets::{Family, HasAtomic, TargetInfo, get_builtin_target_by_triple};
use cfg_expr::{Expression, Predicate};

/// The platform that this program was built for: what the host is taken for where `rustc` cannot be asked.
pub(crate) const BUILT_FOR: &str = env!("AGENTLINT_TARGET");

/// What holds for every crate: the target's properties, `debug_assertions`, and the `--cfg` values `extra`.
pub(crate) fn base_options(triple: &str, extra: &[String]) -> CfgOptions {
    let mut options = CfgOptions::default();
    options.flags.insert(name("debug_assertions"));
    if let Some(target) = target_info(triple) {
        add_target(&mut options, target);
    }
    for value in extra {
        match value.split_once('=') {
            Some((key, value)) => {
                options.key_values.insert((name(key.trim()), name(value.trim().trim_matches('"'))));
            }
            None => {
                options.flags.insert(name(value.trim()));
            }
        }
    }
    options
}

/// Whether `[target.'…'.dependencies]` applies to `triple`: a `cfg(…)` expression, or a triple.
pub(crate) fn platform_applies(platform: &str, triple: &str) -> bool {
    if !platform.trim_start().starts_with("cfg(") {
        return platform.trim() == triple;
    }
    let Some(target) = target_info(triple) else { return false };
    Expression::parse(platform).is_ok_and(|expression| {
        expression.eval(|predicate| match predicate {
            Predicate::Target(target_predicate) => target_predicate.matches(target),
            Predicate::DebugAssertions => true,
            _ => false,
        })
    })
}

fn target_info(triple: &str) -> Option<&'static TargetInfo> {
    get_builtin_target_by_triple(triple).or_else(|| get_builtin_target_by_triple(BUILT_FOR))
}

fn add_target(options: &mut CfgOptions, target: &TargetInfo) {
    let mut set = |key: &str, value: &str| {
        options.key_values.insert((name(key), name(value)));
    };
    set("target_arch", target.arch.as_str());
    set("target_os", target.os.as_ref().map_or("none", |os| os.as_str()));
    set("target_env", target.env.as_ref().map_or("", |env| env.as_str()));
    set("target_abi", target.abi.as_ref().map_or("", |abi| abi.as_str()));
    set("target_vendor", target.vendor.as_ref().map_or("unknown", |vendor| vendor.as_str()));
    set("target_pointer_width", &target.pointer_width.to_string());
    set("target_endian", if target.endian == cfg_expr::targets::Endian::little { "little" } else { "big" });
    set("panic", target.panic.as_str());
    for family in target.families.iter() {
        set("target_family", family.as_str());
    }
    for atomic in target.has_atomics.iter() {
        match atomic {
            HasAtomic::IntegerSize(bits) => set("target_has_atomic", &bits.to_string()),
            _ => set("target_has_atomic", "ptr"),
        }
    }
    // Part of every x86-64 and 64-bit ARM target's baseline, and asked for by crates with intrinsics.
    let features: &[&str] = match target.arch.as_str() {
        "x86_64" => &["fxsr", "sse", "sse2"],
        "aarch64" => &["neon"],
        _ => &[],
    };
    features.iter().for_each(|feature| set("target_feature", feature));
    for (family, flag) in [(Family::unix, "unix"), (Family::windows, "windows")] {
        if target.families.contains(&family) {
            options.flags.insert(name(flag));
        }
    }
    options.flags.insert(name("target_thread_local"));
}
