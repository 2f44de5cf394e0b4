//! The names that the administrator allows the operator to look up.

/// The longest name of the DNS.
const LONGEST: usize = 253;

/// A suffix as an example: only one account of the cloud creates names below it.
const EXAMPLE: &str = "*.c9akexample.eu-central-1.rds.amazonaws.com";

/// Names, and suffixes of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedNames {
    exact: Vec<String>,
    /// Each begins with a dot.
    suffixes: Vec<String>,
}

impl AllowedNames {
    /// Parses names such as `db.example.com`, and suffixes such as
    /// `*.c9akexample.eu-central-1.rds.amazonaws.com`.
    ///
    /// # Errors
    /// If one is neither. The text says what to write.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut allowed = Self::default();
        for text in texts {
            let name = normalized(text);
            let (suffix, rest) = match name.strip_prefix("*.") {
                Some(rest) => (true, rest),
                None => (false, name.as_str()),
            };
            if !is_name(rest) || !rest.contains('.') {
                return Err(format!(
                    "{text:?} is no name and no suffix of names; write for example db.example.com or {EXAMPLE}"
                ));
            }
            if suffix {
                allowed.suffixes.push(format!(".{rest}"));
            } else {
                allowed.exact.push(name);
            }
        }
        Ok(allowed)
    }

    /// True if no name is allowed.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.suffixes.is_empty()
    }

    /// True if the operator may look up this normalized name. A suffix allows the names below it, and not itself.
    pub fn allows(&self, name: &str) -> bool {
        is_name(name)
            && (self.exact.iter().any(|exact| exact == name)
                || self
                    .suffixes
                    .iter()
                    .any(|suffix| name.len() > suffix.len() && name.ends_with(suffix.as_str())))
    }
}

/// A name as it is compared: in lower case, and without the dot at its end.
pub fn normalized(name: &str) -> String {
    let name = name.trim();
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// True for a name that can be part of a command without quotes.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|first| plain(*first) || *first == b'_')
            && bytes.last().is_some_and(|last| plain(*last))
            && bytes.len() <= 63
            && bytes.iter().all(|byte| plain(*byte) || matches!(byte, b'-' | b'_'))
    };
    name.len() <= LONGEST && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(texts: &[&str]) -> AllowedNames {
        AllowedNames::parse(texts.iter().copied()).unwrap()
    }

    /// contract#external-names
    #[test]
    fn a_suffix_allows_the_names_below_it_and_nothing_else() {
        let names = allowed(&["*.rds.amazonaws.com", "DB.example.com."]);
        for good in ["pg.rds.amazonaws.com", "a.b.rds.amazonaws.com", "db.example.com"] {
            assert!(names.allows(good), "{good}");
        }
        for bad in [
            "rds.amazonaws.com",
            "evilrds.amazonaws.com",
            "pg.rds.amazonaws.com.evil.example",
            "x.db.example.com",
            "example.com",
            ".rds.amazonaws.com",
            "a b.rds.amazonaws.com",
            "",
        ] {
            assert!(!names.allows(bad), "{bad}");
        }
        assert!(AllowedNames::default().is_empty() && !AllowedNames::default().allows("db.example.com"));
    }

    #[test]
    fn what_is_no_name_and_no_suffix_is_refused_with_what_to_write() {
        for bad in [
            "",
            "*",
            "*.",
            "*.com",
            "com",
            "a.*.com",
            "db..com",
            "*example.com",
            "db.example.com/x",
        ] {
            let why = AllowedNames::parse([bad]).unwrap_err();
            assert!(why.contains(EXAMPLE), "{why}");
        }
        assert!(allowed(&[EXAMPLE]).allows("pg.c9akexample.eu-central-1.rds.amazonaws.com"));
        assert!(!allowed(&[EXAMPLE]).allows("pg.of-another.eu-central-1.rds.amazonaws.com"));
    }
}
