use super::*;

const ALIAS: Alias<'static> = Alias {
    host: "db.web-links.shop.svc",
    port: Some(5432),
};

/// The entry after the alias is put into it; `None` if it leads past the alias.
fn after(others: &[(&str, &str)], key: &str, text: &str, alias: Alias<'_>) -> Option<String> {
    let all = others.iter().copied().chain([(key, text)]);
    let mut entries: Entries = all
        .map(|(key, text)| (key.to_owned(), Confidential::from(text)))
        .collect();
    let past = redirect(&mut entries, alias);
    if past.iter().any(|name| name == key) {
        assert_eq!(
            entries[key].reveal(),
            text.as_bytes(),
            "a named entry is copied as it is"
        );
        return None;
    }
    Some(String::from_utf8(entries[key].reveal().to_vec()).unwrap())
}

/// The Secret of an application, as the operator `CloudNativePG` writes it.
const APP: [(&str, &str); 6] = [
    ("username", "app"),
    ("user", "app"),
    ("password", "p:w@d"),
    ("dbname", "app"),
    ("host", "pg-rw"),
    ("port", "5432"),
];

#[test]
fn entries_in_a_known_form_get_the_alias() {
    for (key, text, expected) in [
        (
            "jdbc-uri",
            "jdbc:postgresql://pg-rw.shop:5432/app?password=pw&user=app",
            "jdbc:postgresql://db.web-links.shop.svc:5432/app?password=pw&user=app",
        ),
        (
            "fqdn-uri",
            "postgresql://app:pw@pg-rw.shop.svc.cluster.local:5433/app",
            "postgresql://app:pw@db.web-links.shop.svc:5432/app",
        ),
        (
            "fqdn-jdbc-uri",
            "jdbc:postgresql://pg-rw.shop.svc.cluster.local:5432/app",
            "jdbc:postgresql://db.web-links.shop.svc:5432/app",
        ),
        (
            "pgpass",
            "pg-rw:5432:app:app:pw\n",
            "db.web-links.shop.svc:5432:app:app:pw\n",
        ),
        (
            ".pgpass",
            "# a comment\npg-rw.shop.svc:*:*:app:p\\:w\nother:5432:a:b:c\n",
            "# a comment\ndb.web-links.shop.svc:*:*:app:p\\:w\nother:5432:a:b:c\n",
        ),
        (
            "jdbc-url",
            "jdbc:sqlserver://pg-rw:1433;databaseName=app;password=a;b",
            "jdbc:sqlserver://db.web-links.shop.svc:5432;databaseName=app;password=a;b",
        ),
        (
            "jdbc-url",
            "jdbc:oracle:thin:app/p@w@//pg-rw:1521/ORCL",
            "jdbc:oracle:thin:app/p@w@//db.web-links.shop.svc:5432/ORCL",
        ),
        (
            "jdbc-url",
            "jdbc:oracle:thin:@pg-rw:1521:ORCL",
            "jdbc:oracle:thin:@db.web-links.shop.svc:5432:ORCL",
        ),
        (
            "dsn",
            "host=pg-rw port=1 user=app password='a host=b\\' c' dbname=app",
            "host=db.web-links.shop.svc port=5432 user=app password='a host=b\\' c' dbname=app",
        ),
        (
            "dsn",
            "user = app host = 'pg-rw'",
            "user = app host = db.web-links.shop.svc",
        ),
        (
            "mysql-dsn",
            "app:p@tcp(x)w@tcp(pg-rw:3306)/app?parseTime=true",
            "app:p@tcp(x)w@tcp(db.web-links.shop.svc:5432)/app?parseTime=true",
        ),
        (
            "connection-string",
            "Host=pg-rw;Port=1;Username=app;Password=\"a;Host=b\";Database=app",
            "Host=db.web-links.shop.svc;Port=5432;Username=app;Password=\"a;Host=b\";Database=app",
        ),
        (
            "ado",
            "Server=tcp:pg-rw.shop.svc,1433;Initial Catalog=app;",
            "Server=tcp:db.web-links.shop.svc,5432;Initial Catalog=app;",
        ),
        (
            "url",
            "amqp://app:p;w@PG-RW:1/%2f",
            "amqp://app:p;w@db.web-links.shop.svc:5432/%2f",
        ),
    ] {
        assert_eq!(after(&APP, key, text, ALIAS).as_deref(), Some(expected), "{key}");
    }
}

#[test]
fn entries_that_lead_past_the_alias_are_named_and_copied() {
    for (key, text) in [
        ("mongodb-uri", "mongodb://app:pw@pg-rw-0:1,pg-rw-1:1/app"),
        ("srv", "mongodb+srv://app:pw@pg-rw.shop.svc/app"),
        ("pgbouncer-uri", "postgresql://app:pw@pg-pooler:5432/app"),
        ("url", "postgresql://pg-rw/app?host=pg-rw-0"),
        (
            "jdbc-url",
            "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=pg-rw)(PORT=1521)))",
        ),
        ("jdbc-url", "jdbc:sqlserver://pg-rw\\ONE;databaseName=app"),
        ("dsn", "host=pg-rw,pg-r port=5432"),
        ("dsn", "host=pg-rw hostaddr=10.0.0.1"),
        ("pgpass", "pg-r:5432:app:app:pw"),
        ("hostname", "pg-rw"),
        ("endpoint", "pg-rw:5432"),
        ("config.json", "{\"hosts\": [\"pg-rw.shop.svc\"]}"),
        ("application.properties", "db.user=app\ndb.address=pg-rw:5432\n"),
        ("ado", "Server=pg-rw\\ONE;Database=app"),
    ] {
        assert_eq!(after(&APP, key, text, ALIAS), None, "{key}: {text}");
    }
}

#[test]
fn other_entries_are_copied_as_they_are_without_a_word() {
    for (key, text) in [
        ("database", "pg-rw"),
        ("password", "pg-rw"),
        ("notes", "the primary is pg-rw"),
        ("docs-url", "https://docs.example.com/pg"),
        (
            "ca.crt",
            "-----BEGIN CERTIFICATE-----\nMIIB+pg/rw=\n-----END CERTIFICATE-----\n",
        ),
        ("alias-url", "postgresql://app:pw@db.web-links.shop.svc:5432/app"),
        (
            "fqdn-url",
            "postgresql://app:pw@db.web-links.shop.svc.cluster.local:1/app",
        ),
        ("jdbc-url", "jdbc:h2:mem:test"),
        ("file", "file:///etc/passwd"),
        ("equation", "a=b c=d"),
        ("semicolons", "a=b;c=d"),
        ("empty", ""),
        ("pgpass", "*:*:*:app:pw"),
    ] {
        assert_eq!(after(&APP, key, text, ALIAS).as_deref(), Some(text), "{key}");
    }
}

/// Without `host` and `uri`, a connection is to the target. A page on the web may be anywhere.
#[test]
fn a_secret_that_does_not_name_its_host_is_about_the_target() {
    for (key, text, expected) in [
        (
            "jdbc-url",
            "jdbc:mysql://mysql:3306/app",
            "jdbc:mysql://db.web-links.shop.svc:5432/app",
        ),
        ("pgpass", "pg:1:a:b:c", "db.web-links.shop.svc:5432:a:b:c"),
        ("docs", "https://docs.example.com/pg", "https://docs.example.com/pg"),
        ("address", "pg:5432", "pg:5432"),
    ] {
        assert_eq!(after(&[], key, text, ALIAS).as_deref(), Some(expected), "{key}");
    }
    assert_eq!(
        after(&[], "pgpass", "pg:1:a:b:c\nother:1:a:b:c", ALIAS),
        None,
        "which of them is unknown"
    );
}

/// A Service may have the name of the alias, which is another name than that of the link.
#[test]
fn a_host_with_the_short_name_of_the_alias_is_the_original_one() {
    let db = [("host", "db")];
    let text = "jdbc:postgresql://db:5432/app";
    let expected = "jdbc:postgresql://db.web-links.shop.svc:5432/app";
    assert_eq!(after(&db, "jdbc-uri", text, ALIAS).as_deref(), Some(expected));
}

#[test]
fn the_host_can_come_from_the_uri_alone_and_the_port_stays_if_the_link_has_none() {
    let uri = [("uri", "postgres://app:pw@[fd00::1]:5433/app\n")];
    let without = Alias { port: None, ..ALIAS };
    for (key, text, expected) in [
        (
            "jdbc-uri",
            "jdbc:postgresql://[fd00::1]:5433/app",
            "jdbc:postgresql://db.web-links.shop.svc:5433/app",
        ),
        ("dsn", "host=fd00::1 port=5433", "host=db.web-links.shop.svc port=5433"),
        ("go", "tcp([fd00::1]:3306)/app", "tcp(db.web-links.shop.svc:3306)/app"),
        ("ora", "jdbc:oracle:thin:@h:1/x", ""),
    ] {
        let after = after(&uri, key, text, without);
        assert_eq!(after.unwrap_or_default(), expected, "{key}");
    }
}

#[test]
fn what_is_no_text_is_copied() {
    let binary = serde_json::json!({"data": {"keystore": "/+7/", "host": "cGc="}});
    let secret: k8s_openapi::api::core::v1::Secret = serde_json::from_value(binary).unwrap();
    let mut entries = crate::child::Observed::<crate::child::Binding>::from(secret)
        .object
        .body
        .data;
    let before = entries.clone();
    assert_eq!(redirect(&mut entries, ALIAS), [""; 0]);
    assert_eq!(entries, before);
}

proptest::proptest! {
    /// Users write any text. No form may cut it in the middle of a character, or change an entry that it names.
    #[test]
    fn no_text_is_damaged(key in "[a-z.-]{0,8}(pgpass|uri)?", text in "(\\PC|[:@/;= ,'\\\\\"{}?()\n]|host=|tcp\\(|pg|://|jdbc:oracle:){0,24}") {
        let host = [("host", "pg")];
        let once = after(&host, &key, &text, ALIAS);
        if let Some(once) = once.filter(|once| *once != text) {
            proptest::prop_assert!(once.contains(ALIAS.host), "{} became {}", text, once);
        }
    }
}
