//! Whether a file has a test of a name, for tables that name tests.

/// Whether the file has a test function with this name.
pub fn is_a_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let function = [format!("fn {name}("), format!("async fn {name}(")];
    let at = lines
        .iter()
        .position(|line| function.iter().any(|f| line.starts_with(f.as_str())));
    at.is_some_and(|at| {
        let before = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        before
            .into_iter()
            .any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
    })
}

#[cfg(test)]
mod tests {
    use super::is_a_test;

    #[test]
    fn what_is_no_test_is_not_taken_for_one() {
        let source = "#[test]\n#[ignore = \"x\"]\nfn a() {}\nfn b() {}\n// #[test]\n\nfn c() {}\n#[tokio::test]\nasync fn d() {}";
        let tests = ["a", "b", "c", "d", "e"].map(|name| is_a_test(source, name));
        assert_eq!(tests, [true, false, false, true, false]);
    }
}
