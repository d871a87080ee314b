//! Locks that are held over a call that blocks.

use super::with_effects;

#[test]
fn a_lock_that_is_held_over_a_blocking_call_is_told() {
    let program = "
use std::sync::Mutex;
fn nap() -> u8 { std::thread::sleep(std::time::Duration::from_secs(1)); 1 }
trait Nap { fn nap(&self) -> u8; }
impl Nap for u8 { fn nap(&self) -> u8 { nap() } }
pub async fn named(m: &Mutex<u8>) { let held = m.lock().unwrap(); nap(); drop(held); nap(); }
pub async fn temporary(m: &Mutex<u8>) { m.lock().unwrap().nap(); }
pub async fn in_a_block(m: &Mutex<u8>) { { let _held = m.lock().unwrap(); } nap(); }
";
    let held = with_effects("", program, &(), |model, effects, _| {
        let calls = effects.blocking_calls(model).into_iter();
        calls.map(|call| call.held.map(|held| (held.ty, held.name))).collect::<Vec<_>>()
    });
    let guard = || "MutexGuard<u8>".to_owned();
    assert_eq!(held, [Some((guard(), Some("held".to_owned()))), None, Some((guard(), None)), None]);
}
