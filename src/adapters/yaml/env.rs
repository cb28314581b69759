//! `${NAME}` in scalars, after parsing: a value can never change the structure.

use crate::{
    adapters::yaml::tree::{Node, NodeKind, Scalar},
    domain::{fault::Fault, text::Message},
};

/// Puts the environment into every scalar of the tree; `$${` stands for a literal `${`. Values are not expanded again
/// and never appear in a fault.
pub fn expand_env(node: &mut Node, lookup: &dyn Fn(&str) -> Option<String>, faults: &mut Vec<Fault>) {
    match &mut node.kind {
        NodeKind::Null => {}
        NodeKind::List(items) => items.iter_mut().for_each(|item| expand_env(item, lookup, faults)),
        NodeKind::Map(entries) => entries.iter_mut().for_each(|(_, value)| expand_env(value, lookup, faults)),
        NodeKind::Scalar(scalar) => {
            if let Err(message) = expand(scalar, lookup) {
                faults.push(Fault::error(node.place.clone(), message));
            }
        }
    }
}

fn expand(scalar: &mut Scalar, lookup: &dyn Fn(&str) -> Option<String>) -> Result<(), Message> {
    let mut out = String::new();
    let mut rest = scalar.text.as_str();
    let mut expanded = false;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return Err(Message::new("“${” 没有配对的 “}”", "`${` has no closing `}`"));
        };
        if !is_name(name) {
            return Err(Message::new(
                format!("“${{{name}}}” 里不是环境变量名"),
                format!("`${{{name}}}` does not hold the name of an environment variable"),
            ));
        }
        let Some(value) = lookup(name) else {
            return Err(Message::new(
                format!("环境变量 {name} 没有设置；请先 export {name}=…"),
                format!("the environment variable {name} is not set: export {name}=… first"),
            ));
        };
        out.push_str(&value);
        expanded = true;
        rest = after;
    }
    out.push_str(rest);
    scalar.text = out;
    scalar.expanded |= expanded;
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn check(text: &str, expected: &str) {
        let mut faults = Vec::new();
        let mut node = parse("t.yaml", text, &mut faults).unwrap();
        let lookup = |name: &str| (name == "TOKEN").then(|| "s3${X}".to_string());
        expand_env(&mut node, &lookup, &mut faults);
        let NodeKind::Map(entries) = &node.kind else { panic!("a mapping") };
        let mut shown: Vec<String> = entries.iter().map(|(_, value)| value.text().unwrap().to_string()).collect();
        shown.extend(faults.iter().map(|fault| format!("! {}: {}", fault.place, fault.message.en)));
        assert_eq!(shown.join("|"), expected);
        assert!(!format!("{node:?}").contains("s3"), "the tree's Debug shows a secret");
    }

    #[test]
    fn variables_are_put_in_and_missing_ones_named() {
        check("a: \"x${TOKEN}y\"", "xs3${X}y");
        check("a: $${TOKEN} $5", "${TOKEN} $5");
        check("a: \"${NOPE}\"", "${NOPE}|! t.yaml:1:4: the environment variable NOPE is not set: export NOPE=… first");
        check("a: \"${TOKEN\"", "${TOKEN|! t.yaml:1:4: `${` has no closing `}`");
        check("a: \"${1 x}\"", "${1 x}|! t.yaml:1:4: `${1 x}` does not hold the name of an environment variable");
    }
}
