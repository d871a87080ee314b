//! The SARIF of a whole project is what code scanning accepts.

use serde_json::Value;

use crate::support::{read, root, run};

#[test]
fn bad_agent_server_passes_the_schema() {
    let log = sarif();
    // The pattern of a property that is not used here has a bracket too many, which not every dialect of patterns accepts.
    let schema = read(&root().join("crates/cargo-agentlint/tests/schemas/sarif-schema-2.1.0.json"));
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn results_have_places_rules_and_chains() {
    let log = sarif();
    let run = &log["runs"][0];
    let rules: Vec<_> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(rules.is_sorted(), "{rules:?}");
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 40, "{} results", results.len());
    assert!(results.iter().filter(|result| result["codeFlows"].is_array()).count() > results.len() / 4);
    for result in results {
        let rule = result["ruleIndex"].as_u64().unwrap();
        assert_eq!(rules[usize::try_from(rule).unwrap()], result["ruleId"]);
        assert!(result["partialFingerprints"].is_object());
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        let is_beside = ["Dockerfile", "compose.yaml", "Procfile", "deploy/start.sh"].contains(&uri);
        assert!(uri.starts_with("src/") || is_beside, "{uri}");
    }
}

fn sarif() -> Value {
    let ran = run(&root().join("fixtures/projects/bad_agent_server"), &["--format", "sarif"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}
