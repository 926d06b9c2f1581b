package millrace.bench;

import java.util.List;
import java.util.Map;

/**
 * A query of the Nexmark benchmark, in its own words.
 *
 * @param tables what it reads: bid, person, auction
 * @param hasEventTime whether dateTime is the event time of these, with a bound of 4 s on disorder
 * @param sinkColumns of the answer; %s is the type of dateTime
 * @param primaryKey of an answer whose rows replace each other, else null
 */
record NexmarkQuery(
        List<String> tables, boolean hasEventTime, String sinkColumns, String primaryKey, String sql) {

    static NexmarkQuery named(String name) {
        NexmarkQuery query = ALL.get(name);
        if (query == null) throw new IllegalArgumentException("no query " + name);
        return query;
    }

    /** Of bids, each for itself. */
    private static NexmarkQuery stateless(String sinkColumns, String sql) {
        return new NexmarkQuery(List.of("bid"), false, sinkColumns, null, sql);
    }

    private static NexmarkQuery ofBids(String sinkColumns, String sql) {
        return new NexmarkQuery(List.of("bid"), true, sinkColumns, null, sql);
    }

    private static final Map<String, NexmarkQuery> ALL = Map.of(
            "q0",
            stateless(
                    "auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` %s, extra STRING",
                    "SELECT auction, bidder, price, `dateTime`, extra FROM bid"),
            "q1",
            stateless(
                    "auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), `dateTime` %s, extra STRING",
                    "SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid"),
            "q2",
            stateless("auction BIGINT, price BIGINT", "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0"),
            "q5",
            ofBids(
                    "auction BIGINT, num BIGINT",
                    """
                    SELECT AuctionBids.auction, AuctionBids.num
                    FROM (
                      SELECT auction, count(*) AS num, window_start AS starttime, window_end AS endtime
                      FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
                      GROUP BY auction, window_start, window_end
                    ) AS AuctionBids
                    JOIN (
                      SELECT max(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime
                      FROM (
                        SELECT count(*) AS num, window_start AS starttime, window_end AS endtime
                        FROM TABLE(HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
                        GROUP BY auction, window_start, window_end
                      ) AS CountBids
                      GROUP BY CountBids.starttime, CountBids.endtime
                    ) AS MaxBids
                    ON AuctionBids.starttime = MaxBids.starttime AND AuctionBids.endtime = MaxBids.endtime
                      AND AuctionBids.num >= MaxBids.maxn"""),
            // The cast stands for the official text's dateTime of TIMESTAMP(3), as which window_end comes.
            "q7",
            ofBids(
                    "auction BIGINT, price BIGINT, bidder BIGINT, `dateTime` %s, extra STRING",
                    """
                    SELECT B.auction, B.price, B.bidder, B.`dateTime`, B.extra
                    FROM bid B
                    JOIN (
                      SELECT MAX(price) AS maxprice, CAST(window_end AS TIMESTAMP_LTZ(3)) AS `dateTime`
                      FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
                      GROUP BY window_start, window_end
                    ) B1
                    ON B.price = B1.maxprice
                    WHERE B.`dateTime` BETWEEN B1.`dateTime` - INTERVAL '10' SECOND AND B1.`dateTime`"""),
            "q8",
            new NexmarkQuery(
                    List.of("person", "auction"),
                    true,
                    "id BIGINT, name STRING, starttime TIMESTAMP(3)",
                    null,
                    """
                    SELECT P.id, P.name, P.starttime
                    FROM (
                      SELECT id, name, window_start AS starttime, window_end AS endtime
                      FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
                      GROUP BY id, name, window_start, window_end
                    ) P
                    JOIN (
                      SELECT seller, window_start AS starttime, window_end AS endtime
                      FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
                      GROUP BY seller, window_start, window_end
                    ) A
                    ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime"""),
            // q12 with event time in place of processing time.
            "q12e",
            ofBids(
                    "bidder BIGINT, bid_count BIGINT, starttime TIMESTAMP(3), endtime TIMESTAMP(3)",
                    """
                    SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
                    FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
                    GROUP BY bidder, window_start, window_end"""),
            "q18",
            new NexmarkQuery(
                    List.of("bid"),
                    true,
                    "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` %s, "
                            + "extra STRING",
                    "bidder, auction",
                    """
                    SELECT auction, bidder, price, channel, url, `dateTime`, extra
                    FROM (
                      SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY `dateTime` DESC) AS rank_number
                      FROM bid
                    )
                    WHERE rank_number <= 1"""),
            "q21",
            stateless(
                    "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, channel_id STRING",
                    """
                    SELECT auction, bidder, price, channel,
                      CASE
                        WHEN lower(channel) = 'apple' THEN '0'
                        WHEN lower(channel) = 'google' THEN '1'
                        WHEN lower(channel) = 'facebook' THEN '2'
                        WHEN lower(channel) = 'baidu' THEN '3'
                        ELSE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)
                      END AS channel_id
                    FROM bid
                    WHERE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) IS NOT NULL
                      OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu')"""),
            "q22",
            stateless(
                    "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, "
                            + "dir1 STRING, dir2 STRING, dir3 STRING",
                    """
                    SELECT auction, bidder, price, channel,
                      SPLIT_INDEX(url, '/', 3) AS dir1,
                      SPLIT_INDEX(url, '/', 4) AS dir2,
                      SPLIT_INDEX(url, '/', 5) AS dir3
                    FROM bid"""));
}
