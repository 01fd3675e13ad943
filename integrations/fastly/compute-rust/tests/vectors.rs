//! The bytes that edgeauth's own `sign` makes. `EDGEAUTH_VECTORS` may name a file with more:
//! `secret<TAB>timestamp<TAB>POP<TAB>value` a line.

use edgeauth::sign;

#[test]
fn a_value_comes_out_byte_for_byte() {
    assert_eq!(
        sign(b"some-pre-shared-secret", 1_700_000_000, "LHR"),
        "1700000000,LHR, uGo6xNtMSzRanCVE76LJuOr0Qs5H3zTvN7QTY4445yA="
    );
}

#[test]
fn the_rows_of_the_vectors_come_out_byte_for_byte() {
    let Ok(path) = std::env::var("EDGEAUTH_VECTORS") else {
        return;
    };
    let rows = std::fs::read_to_string(path).unwrap();
    assert!(!rows.is_empty());
    for row in rows.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        let timestamp = fields[1].parse().unwrap();
        assert_eq!(sign(fields[0].as_bytes(), timestamp, fields[2]), fields[3]);
    }
}
