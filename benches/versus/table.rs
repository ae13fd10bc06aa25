//! Figures of several rounds, as a table: medians, the least and the most, and how ours compare.

use crate::contenders::median;

/// A column.
pub struct Column {
    /// What is counted.
    pub name: &'static str,
    /// Digits behind the point.
    pub digits: usize,
}

/// Rows, ours first.
pub struct Table {
    columns: &'static [Column],
    rows: Vec<(String, Row)>,
}

/// What each round gave, by columns, or why there is nothing.
type Row = Result<Vec<Vec<f64>>, String>;

impl Table {
    /// A table with these columns.
    pub fn new(columns: &'static [Column]) -> Table {
        Table { columns, rows: Vec::new() }
    }

    /// Takes in what one round gave for one row: a figure for each column, or why there is none.
    pub fn add(&mut self, name: &str, figures: Result<Vec<f64>, String>) {
        let place = match self.rows.iter().position(|(known, _)| known == name) {
            Some(place) => place,
            None => {
                self.rows.push((name.to_string(), Ok(vec![Vec::new(); self.columns.len()])));
                self.rows.len() - 1
            }
        };
        match (&mut self.rows[place].1, figures) {
            (Ok(all), Ok(figures)) => all.iter_mut().zip(figures).for_each(|(all, figure)| all.push(figure)),
            (row, Err(why)) => *row = Err(why),
            (Err(_), Ok(_)) => {}
        }
    }

    /// Shows it. The ratios are those of the first row's medians to this row's.
    pub fn print(&self, title: &str) {
        print!("{title:30}");
        for column in self.columns {
            print!(" {:>34} {:>7}", column.name, "ratio");
        }
        println!();
        let medians = |figures: &[Vec<f64>]| -> Vec<f64> { figures.iter().cloned().map(median).collect() };
        let first = self.rows.first().and_then(|(_, row)| row.as_ref().ok()).map(|figures| medians(figures));
        for (name, row) in &self.rows {
            let figures = match row {
                Ok(figures) => figures,
                Err(why) => {
                    println!("{name:30} {why}");
                    continue;
                }
            };
            print!("{name:30}");
            for (place, column) in self.columns.iter().enumerate() {
                let all = &figures[place];
                let middle = median(all.clone());
                let (least, most) = all.iter().fold((f64::MAX, f64::MIN), |(a, b), one| (a.min(*one), b.max(*one)));
                let shown = |figure| grouped(figure, column.digits);
                let ratio = first.as_ref().map_or(f64::NAN, |first| first[place] / middle);
                print!(" {:>34} {ratio:7.2}", format!("{} [{}..{}]", shown(middle), shown(least), shown(most)));
            }
            println!();
        }
    }
}

/// A number with a comma after each third digit.
pub fn grouped(figure: f64, digits: usize) -> String {
    let text = format!("{figure:.digits$}");
    let whole = text.split('.').next().unwrap_or_default().len();
    let mut out = String::new();
    for (place, sign) in text.chars().enumerate() {
        if place > 0 && place < whole && (whole - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(sign);
    }
    out
}
