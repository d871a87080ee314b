//! Where the work comes in that reaches a blocking call. The dependency stands for a web framework.

use super::with_effects;

const FRAMEWORK: &str = "
pub struct Router; pub struct Methods; pub struct Scope; pub struct Route; pub struct Resource;
pub fn get<H>(handler: H) -> Methods { drop(handler); Methods }
pub fn post<H>(handler: H) -> Methods { drop(handler); Methods }
impl Methods {
    pub fn get<H>(self, handler: H) -> Methods { drop(handler); self }
    pub fn post<H>(self, handler: H) -> Methods { drop(handler); self }
}
impl Router {
    pub fn new() -> Router { Router }
    pub fn route(self, _path: &str, _methods: Methods) -> Router { self }
    pub fn nest(self, _path: &str, _router: Router) -> Router { self }
    pub fn merge(self, _router: Router) -> Router { self }
    pub fn service<S>(self, _service: S) -> Router { self }
    pub fn mount<S>(self, _path: &str, _routes: S) -> Router { self }
}
pub fn scope(_path: &str) -> Scope { Scope }
pub fn resource(_path: &str) -> Resource { Resource }
impl Scope {
    pub fn route(self, _path: &str, _route: Route) -> Scope { self }
    pub fn service<S>(self, _service: S) -> Scope { self }
}
impl Resource { pub fn route(self, _route: Route) -> Resource { self } }
impl Route { pub fn to<H>(self, handler: H) -> Route { drop(handler); self } }
pub mod web { pub fn get() -> super::Route { super::Route } pub fn post() -> super::Route { super::Route } }
pub fn spawn<F>(future: F) { drop(future) }
pub trait Tool { fn call(&self) -> impl Future<Output = ()>; }
";

/// `//~ entry, entry` says from where the call on its line is reached.
#[track_caller]
fn check(program: &str) {
    with_effects(FRAMEWORK, program, &(), |model, effects, _| {
        let mut at = 0;
        for (number, line) in program.lines().enumerate() {
            let call = line.find("nap()").filter(|_| !line.contains("fn nap()"));
            if let Some(call) = call {
                let found = effects.reached_from(model, agentlint_diagnostics::FileId(1), at + call as u32);
                let found: Vec<String> = found.iter().map(|entry| entry.to_string().replace('`', "")).collect();
                let expected = line.split_once("//~ ").map_or("", |(_, expected)| expected);
                assert_eq!(found.join(", "), expected, "line {}", number + 1);
            }
            at += line.len() as u32 + 1;
        }
    });
}

#[test]
fn routes_of_nested_and_merged_routers() {
    check(
        "
use dep::{Router, get, post};
fn nap() { std::thread::sleep(std::time::Duration::from_secs(1)) }
async fn list() { nap(); } //~ GET /api/v1/items
async fn create() { helper(); }
fn helper() { nap(); } //~ POST /api/v1/items, POST /health
async fn health() { later().await; helper(); }
async fn later() { nap(); } //~ POST /health
async fn nowhere() { nap(); }
pub fn items() -> Router { Router::new().route(\"/items\", get(list).post(create)) }
fn version() -> Router {
    let items = items();
    Router::new().nest(\"/v1\", items)
}
pub fn app() -> Router {
    let closure = Router::new().route(\"/inline\", get(async || { nap(); })); //~ GET /inline
    Router::new().nest(\"/api\", version()).merge(closure).route(\"/health\", post(health))
}
pub async fn main() { dep::spawn(async { app(); nap(); }); dep::spawn(nowhere()) } //~ a task spawned in main
"
        .replace("async fn nowhere() { nap(); }", "async fn nowhere() { nap(); } //~ a task spawned in main")
        .as_str(),
    );
}

#[test]
fn scopes_and_resources_attributes_and_mounts() {
    check(
        "
use dep::{Router, Tool, resource, scope, web};
fn nap() { std::thread::sleep(std::time::Duration::from_secs(1)) }
async fn show() { nap(); } //~ GET /admin/users
async fn save() { nap(); } //~ POST /admin/one
#[cfg_attr(all(), get(\"/marked/{id}\"))]
async fn unknown() { nap(); }
pub fn app() -> Router {
    Router::new().service(
        scope(\"/admin\").route(\"/users\", web::get().to(show)).service(resource(\"/one\").route(web::post().to(save))),
    )
}
pub struct Search;
impl Tool for Search { async fn call(&self) { nap(); } } //~ the tool Search
",
    );
    check(
        "
use dep::Router;
fn nap() { std::thread::sleep(std::time::Duration::from_secs(1)) }
#[get(\"/marked/<id>\")]
async fn marked() { nap(); } //~ GET /mounted/marked/<id>
#[rocket::post(\"/alone\", data = \"<x>\")]
async fn alone() { nap(); } //~ POST /alone
#[derive(Debug)]
pub struct X;
pub fn app() -> Router { Router::new().mount(\"/mounted\", [marked]) }
",
    );
}
