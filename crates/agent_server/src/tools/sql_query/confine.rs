//! What SQLite lets only C ask for: an authorizer that allows nothing but reading, and limits on sizes.

#![expect(unsafe_code, reason = "sqlx has no safe call for an authorizer and for limits")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;

/// The longest text or blob that a query may make, in bytes; the default is a gigabyte.
const LONGEST_VALUE: c_int = 1 << 20;

/// From here on the connection compiles SELECT statements only.
pub(super) fn confine(connection: &mut LockedSqliteHandle<'_>) {
    let handle = connection.as_raw_handle().as_ptr();
    // SAFETY: the handle is open and ours alone for as long as the lock is held. The callback has no state, is never
    // unloaded, and reads its string argument only during the call, as SQLite guarantees it valid. The limit calls take
    // plain numbers, and SQLite ignores those it does not know.
    unsafe {
        ffi::sqlite3_limit(handle, ffi::SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
        ffi::sqlite3_limit(handle, ffi::SQLITE_LIMIT_ATTACHED, 0);
        ffi::sqlite3_set_authorizer(handle, Some(authorize), ptr::null_mut());
    }
}

/// Called by SQLite for each thing that a statement would do, while it is compiled.
extern "C" fn authorize(
    _state: *mut c_void,
    action: c_int,
    _first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    match action {
        ffi::SQLITE_SELECT | ffi::SQLITE_READ | ffi::SQLITE_RECURSIVE => ffi::SQLITE_OK,
        ffi::SQLITE_FUNCTION if !second.is_null() => {
            // SAFETY: not null, and for this action SQLite passes the function's name, terminated, valid for the call.
            let name = unsafe { CStr::from_ptr(second) };
            if name.to_bytes().eq_ignore_ascii_case(b"load_extension") { ffi::SQLITE_DENY } else { ffi::SQLITE_OK }
        }
        _ => ffi::SQLITE_DENY,
    }
}
