//! A name in a template, taken apart: `ticket.guest.name`, `../x`, `@root.alert.ref`, `@index`.

/// A name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    /// It begins at the root (`@root`).
    pub(crate) root: bool,
    /// It is a variable of a loop (`@index`).
    pub(crate) local: bool,
    /// How many loops it goes out of (`../`).
    pub(crate) up: usize,
    /// Its parts; none for `this`.
    pub(crate) parts: Vec<&'a str>,
}

impl<'a> Path<'a> {
    /// Takes a name apart.
    pub(crate) fn of(raw: &'a str) -> Self {
        let mut rest = raw;
        let mut path = Self { root: false, local: false, up: 0, parts: Vec::new() };
        for current in ["./", "this/", "this."] {
            rest = rest.strip_prefix(current).unwrap_or(rest);
        }
        if let Some(inner) = rest.strip_prefix("@root") {
            path.root = true;
            rest = inner.trim_start_matches(['.', '/']);
        }
        if let Some(inner) = rest.strip_prefix('@') {
            path.local = true;
            rest = inner;
        }
        while let Some(inner) = rest.strip_prefix("../") {
            path.up += 1;
            rest = inner;
        }
        while !rest.is_empty() {
            let (part, after) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
                Some((part, after)) => (part, after),
                None => rest.split_at(rest.find(['.', '/']).unwrap_or(rest.len())),
            };
            if !matches!(part, "this" | "") {
                path.parts.push(part);
            }
            rest = after.strip_prefix(['.', '/']).unwrap_or(after);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn names_are_taken_apart() {
        let cases: [(&str, bool, bool, usize, &[&str]); 8] = [
            ("ticket.guest.name", false, false, 0, &["ticket", "guest", "name"]),
            ("ticket/guest", false, false, 0, &["ticket", "guest"]),
            ("this", false, false, 0, &[]),
            ("this.name", false, false, 0, &["name"]),
            ("../../x", false, false, 2, &["x"]),
            ("@root.alert.ref", true, false, 0, &["alert", "ref"]),
            ("@index", false, true, 0, &["index"]),
            ("a.[b c].d", false, false, 0, &["a", "b c", "d"]),
        ];
        for (raw, root, local, up, parts) in cases {
            assert_eq!(Path::of(raw), Path { root, local, up, parts: parts.to_vec() }, "{raw}");
        }
    }
}
