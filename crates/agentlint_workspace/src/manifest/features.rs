//! Switches on features and optional dependencies, until nothing more follows from what is on.

use std::collections::HashMap;

use toml::Value;

use super::resolve::{Node, Resolver, Task};
use super::{Manifest, strings};

/// The `[features]` table.
pub(super) fn table(manifest: &Manifest) -> HashMap<String, Vec<String>> {
    let Some(table) = manifest.table.get("features").and_then(Value::as_table) else { return HashMap::new() };
    table.keys().map(|feature| (feature.clone(), strings(table, feature).map(str::to_owned).collect())).collect()
}

impl Resolver<'_> {
    pub(super) fn enable_feature(&mut self, node: usize, feature: String) {
        let implied = self.nodes[node].features.get(&feature).cloned();
        if !(implied.is_some() || self.is_implicit(node, &feature)) || !self.nodes[node].enabled.insert(feature.clone()) {
            return;
        }
        match implied {
            Some(implied) => implied.iter().for_each(|implied| self.enable_implied(node, implied)),
            None => self.enable_named(node, &feature),
        }
    }

    /// An optional dependency is a feature by its own name, unless some feature speaks of it as `dep:name`.
    fn is_implicit(&self, node: usize, feature: &str) -> bool {
        let Node { specs, features, .. } = &self.nodes[node];
        let is_optional = specs.iter().any(|spec| spec.optional && spec.key == feature);
        is_optional && !features.values().flatten().any(|implied| implied.strip_prefix("dep:") == Some(feature))
    }

    pub(super) fn enable_dependency(&mut self, node: usize, spec: usize) {
        if self.nodes[node].resolved[spec].is_some() {
            return;
        }
        let Some(package) = self.find(node, spec) else { return };
        self.nodes[node].resolved[spec] = Some(package);
        let owner = &self.nodes[node];
        let spec = &owner.specs[spec];
        let mut wanted: Vec<String> = spec.features.clone();
        if spec.default_features {
            wanted.push("default".to_owned());
        }
        wanted.extend(owner.weak.iter().filter(|(key, _)| *key == spec.key).map(|(_, feature)| feature.clone()));
        self.queue.extend(wanted.into_iter().map(|feature| Task::Feature(package, feature)));
    }

    /// One entry of a feature's list: `feature`, `dep:key`, `key/feature` or `key?/feature`.
    fn enable_implied(&mut self, node: usize, implied: &str) {
        if let Some(key) = implied.strip_prefix("dep:") {
            return self.enable_named(node, key);
        }
        let Some((key, feature)) = implied.split_once('/') else {
            return self.queue.push_back(Task::Feature(node, implied.to_owned()));
        };
        let (key, is_weak) = match key.strip_suffix('?') {
            Some(key) => (key, true),
            None => (key, false),
        };
        if !is_weak {
            self.enable_named(node, key);
            // `key/feature` also turns on the feature that an optional dependency stands for.
            self.queue.push_back(Task::Feature(node, key.to_owned()));
        }
        let owner = &mut self.nodes[node];
        owner.weak.push((key.to_owned(), feature.to_owned()));
        let on = owner.specs.iter().zip(&owner.resolved).filter(|(spec, _)| spec.key == key);
        let tasks: Vec<Task> =
            on.filter_map(|(_, package)| *package).map(|package| Task::Feature(package, feature.to_owned())).collect();
        self.queue.extend(tasks);
    }

    fn enable_named(&mut self, node: usize, key: &str) {
        let named = self.nodes[node].specs.iter().enumerate().filter(|(_, spec)| spec.key == key);
        let tasks: Vec<Task> = named.map(|(spec, _)| Task::Dependency(node, spec)).collect();
        self.queue.extend(tasks);
    }
}
