//! An aligned table for people.

pub(crate) use allonym::report::number as count;
use anstyle::Style;
use unicode_width::UnicodeWidthStr;

/// Rows of cells under a dimmed header, two spaces apart, cut at `CELL_WIDTH_MAX`.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| cut(cell)).collect()).collect();
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(at, title)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
            cells.chain([title.width()]).max().unwrap_or(0)
        })
        .collect();
    let dim = Style::new().dimmed();
    let titles: Vec<String> = header.iter().map(|&title| title.to_owned()).collect();
    let mut text = format!("{dim}{}{dim:#}\n", line(&titles, &widths));
    for row in &rows {
        text.push_str(&line(row, &widths));
        text.push('\n');
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::from(" ");
    for (cell, width) in cells.iter().zip(widths) {
        line.push(' ');
        line.push_str(cell);
        line.push_str(&" ".repeat(width - cell.width() + 1));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Names come from files: control characters would move the cursor.
fn cut(cell: &str) -> String {
    let mut short = String::new();
    for character in cell.chars() {
        let character = if character.is_control() { '\u{fffd}' } else { character };
        if short.width() >= CELL_WIDTH_MAX {
            short.push('…');
            break;
        }
        short.push(character);
    }
    short
}

const CELL_WIDTH_MAX: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_width_not_bytes() {
        let rows = [vec!["größe".to_owned(), "a".to_owned()], vec!["b".to_owned(), "c".to_owned()]];
        let text = anstream::adapter::strip_str(&render(&["column", "x"], &rows)).to_string();
        assert_eq!(text, "  column  x\n  größe   a\n  b       c\n");
    }

    #[test]
    fn hostile_names_cannot_move_the_cursor() {
        assert_eq!(cut("a\x1b[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
