// Package boltstore keeps everything in one bbolt file, for one process. It is the default
// store: nothing to install, nothing to run beside it.
//
// It owns the file, its layout, its lock and its backups. It refuses a second process, a
// file written by a newer release, and a file that it finds damaged. It must not lie on a
// network file system, nor on ext4 mounted with fast_commit.
//
// # Writing
//
// One goroutine writes. It takes every Update that waits, runs their fns one after the
// other in one bbolt transaction, commits once and answers all: two fsyncs for the whole
// group. There is no delay to gather a group; it is what arrived during the commit before.
// A fn that fails after it wrote something spoils the transaction, which is then rolled
// back and run again without it.
//
// # Layout
//
// Numbers are big-endian, so that bytes sort as numbers; str is a length and the string;
// micros is a time in microseconds. Values are JSON unless given.
//
// The bucket meta says how the file was left ("schema", "clean"). All else is in tables; a
// table is the keys of a bucket that begin with its tag.
//
//	bulk    case         seq                             Registration
//	        event        place n                         Event
//	        task         place str(lane) seq             whether it waits, unfinished Task
//	index   case_head    seq                             revision, claim, status, … for lists and checks
//	        case_no      number                          seq
//	        case_key     str(key) micros(claim) seq      –
//	        task_key     key                             where the task is, or when it was finished
//	        task_due     str(lane) micros(due) seq       micros(lease end), place; not if parked
//	        task_parked  str(lane) seq                   –
//	        task_done    micros(finished) key            –
//	        rec          str(space) key                  the value as it is
//	        counter      str(series)                     number
//	        place        number                          where events and tasks lie that came before their case
//
// The place of a case is its seq: numbers are in no order, and keys in no order cost a page
// each. What an accepted submission writes goes to the ends of its tables, but for case_key and
// most of rec. What costs is not the bytes but the pages that a commit rewrites: hence few
// trees, and tasks that lie in the order of their queue, without an index of it.
package boltstore
